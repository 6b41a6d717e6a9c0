"""docs/cycle_model.md: the rules of the cycle models, and how far they are from what was measured on chips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tessera.profile import cortex_m4, cortex_m7
from tessera.profile.profile import CORES
from tessera.profile.published import PROGRAMS, RATIOS, SNIPPETS, Snippet
from tessera.profile.snippets import assemble, steady_cycles


@dataclass(frozen=True, slots=True)
class Estimated:
    snippet: Snippet
    estimated: float


def cycle_model_page() -> str:
    """The page's text; needs the Arm assembler."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["commas"] = lambda value: f"{value:,.0f}"
    text: str = environment.get_template("cycle_model.md.jinja2").render(
        divide=cortex_m4.DIVIDE,
        m4_refill=cortex_m4.REFILL,
        m4_refill_blind=cortex_m4.REFILL_BLIND,
        m7_mispredicted=cortex_m7.MISPREDICTED,
        m7_mispredicted_early=cortex_m7.MISPREDICTED_EARLY,
        m7_unaligned=cortex_m7.UNALIGNED,
        programs=PROGRAMS,
        program_sources=_once(p.source for p in PROGRAMS),
        ratios=RATIOS,
        ratio_sources=_once(r.source for r in RATIOS),
        snippets=[Estimated(s, steady_cycles(CORES[s.core], assemble(s.text))) for s in SNIPPETS],
        snippet_sources=_once(s.source for s in SNIPPETS),
    )
    return text.rstrip("\n") + "\n"


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
