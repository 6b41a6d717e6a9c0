"""What all pictures share: the templates beside this file, pixels, marks of a scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

CHARACTER = 0.56  # width of a character in ems, on average
WIDE, NARROW = "mwMW%@…—", "iljtfrI.,:;'| "
HATCHED = "url(#hatched)"  # a fill of hatched.svg.jinja2


def render_svg(template: str, page: Any) -> str:
    """An SVG document; the same page gives the same text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text: str = environment.get_template(template).render(p=page)
    return text


def px(value: float) -> float:
    return round(value, 1)


def round_step(span: float, marks: int) -> int:
    """A step of 1, 2 or 5 times a power of ten that gives at most about `marks` marks."""
    rough = max(span, 1) / marks
    power: int = 10 ** (len(str(int(rough))) - 1)
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough or m == 10)


def fit(text: str, characters: int) -> str:
    """A path tells the most at its end, another name at its beginning."""
    keep = max(1, characters - 1)
    if len(text) <= characters:
        return text
    return f"…{text[-keep:]}" if "/" in text else f"{text[:keep]}…"


def fit_width(text: str, ems: float) -> str:
    """As much of a name as surely has room, in most fonts; empty if that says nothing."""
    return next((fit(text, n) for n in range(len(text), 2, -1) if width_of(fit(text, n)) <= ems), "")


def width_of(text: str) -> float:
    """In ems, at most, of Helvetica and of what stands for it where it is missing."""
    return sum(1.0 if c in WIDE else 0.42 if c in NARROW else 0.64 for c in text)


def short_names(names: Sequence[str]) -> list[str]:
    """The first of the names that a converter joined by ';', without the path that most of them begin with."""
    firsts = [n.split(";")[0] for n in names]
    heads = [n.split("/")[0] for n in firsts if "/" in n]
    common = max(dict.fromkeys(heads), key=heads.count, default=None)
    return [n.removeprefix(f"{common}/") if heads.count(common or "") > 1 else n for n in firsts]


def map_names(names: Sequence[str]) -> list[str]:
    """Short enough for a small picture: of a path, its first part."""
    return [n.split("/")[0] for n in short_names(names)]
