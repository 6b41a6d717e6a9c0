"""docs/operators.md: what Tessera imports, from the rules that refuse the rest, and the kernels that run it."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tessera.frontend.supported import operator_table
from tessera.kernels.dsp.served import SERVED, VIEWS


def operators_page() -> str:
    operators = operator_table()
    served = {kind for row in SERVED for kind in row.operators}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text: str = environment.get_template("operators.md.jinja2").render(
        operators=operators,
        served=SERVED,
        views=VIEWS,
        others=[kind for kind, _ in operators if kind not in served and kind not in VIEWS],
    )
    return text.rstrip("\n") + "\n"
