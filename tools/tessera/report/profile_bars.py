"""A profile as bars: one a step, its instructions by what they do."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.profile.decode import Kind
from tessera.profile.profile import CORES, Part, Profile
from tessera.report.svg import fit, px, render_svg, round_step, short_names

LEFT, TOP, WIDTH, RIGHT, ROW, HEIGHT, BELOW = 250, 104, 640, 300, 20, 14, 40
COLOURS = {
    Kind.MULTIPLY: ("#3c8a68", "multiplies"),
    Kind.LOAD: ("#8fb8e8", "loads"),
    Kind.STORE: ("#3f6fa8", "stores"),
    Kind.BRANCH: ("#d98c2b", "branches"),
    Kind.OTHER: ("#c9d1d8", "other"),
}
NAME = 38  # characters


@dataclass(frozen=True, slots=True)
class _Piece:
    x: float
    width: float
    fill: str
    tip: str


@dataclass(frozen=True, slots=True)
class _Row:
    y: float
    name: str
    pieces: tuple[_Piece, ...]
    end: float
    figures: str


@dataclass(frozen=True, slots=True)
class _Mark:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class _Entry:
    x: float
    fill: str
    text: str


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    summary: str
    width: float
    height: float
    left: float
    top: float
    bottom: float
    bar: float
    legend: tuple[_Entry, ...]
    marks: tuple[_Mark, ...]
    rows: tuple[_Row, ...]


def bars_svg(profile: Profile, title: str) -> str:
    """An SVG document; the same profile gives the same text."""
    names = short_names([s.operator for s in profile.steps])
    lines = [
        (f"{n}  {fit(name, NAME)}", step.part, step.macs)
        for n, (name, step) in enumerate(zip(names, profile.steps, strict=True))
    ]
    lines.append(("engine between steps", profile.engine, 0))
    most = max([part.total.instructions for _, part, _ in lines] + [1])
    step = round_step(most, 5)
    page = _Page(
        title=f"{title}: instructions of every step",
        summary="Counted. Right: instructions a MAC, and estimated cycles a MAC of a Cortex-M4 and a Cortex-M7.",
        width=LEFT + WIDTH + RIGHT,
        height=TOP + ROW * len(lines) + BELOW,
        left=LEFT,
        top=TOP,
        bottom=TOP + ROW * len(lines),
        bar=HEIGHT,
        legend=_legend(),
        marks=tuple(_Mark(px(LEFT + WIDTH * n / most), _short(n)) for n in range(0, most + 1, step)),
        rows=tuple(_row(n, name, part, macs, most) for n, (name, part, macs) in enumerate(lines)),
    )
    return render_svg("profile_bars.svg.jinja2", page)


def _row(n: int, name: str, part: Part, macs: int, most: int) -> _Row:
    pieces, x = [], float(LEFT)
    for kind, (fill, word) in COLOURS.items():
        count = part.total.kinds.get(kind, 0)
        width = WIDTH * count / most
        tip = f"{name.strip()}: {count:,} {word}, {100 * count / max(part.total.instructions, 1):.1f} %"
        pieces.append(_Piece(px(x), px(width), fill, tip))
        x += width
    figures = _short(part.total.instructions)
    if macs:
        each = [part.total.instructions / macs, *(part.total.cycles[c] / macs for c in CORES)]
        figures += "   " + "  ".join(f"{value:.2f}" for value in each)
    return _Row(TOP + ROW * n, name, tuple(p for p in pieces if p.width > 0), px(x + 8), figures)


def _legend() -> tuple[_Entry, ...]:
    entries, x = [], float(LEFT)
    for fill, text in COLOURS.values():
        entries.append(_Entry(px(x), fill, text))
        x += 34 + 6.2 * len(text)
    return tuple(entries)


def _short(count: int) -> str:
    for limit, unit in ((10**9, " G"), (10**6, " M"), (10**3, " k")):
        if count >= limit:
            return f"{count / limit:.3g}{unit}"
    return str(count)
