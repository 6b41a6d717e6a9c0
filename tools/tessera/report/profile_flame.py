"""A profile as layers of boxes: the model, its steps in order, the functions of each; widths are what they took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.profile.profile import Part, Profile, Tally
from tessera.report.svg import fit_width, px, render_svg, short_names, width_of

INSTRUCTIONS = "instructions"
LEFT, TOP, WIDTH, ROW, GAP, BELOW = 24, 92, 1240, 46, 2, 30
FONT = 11
LEAST_READ = 8  # characters of a step's name
COLOURS = {
    "conv2d": ("#8fb8e8", "#3f6fa8"),
    "depthwise_conv2d": ("#93d1b5", "#3c8a68"),
    "fully_connected": ("#b8a6e6", "#6a54ab"),
    "elementwise": ("#f2a7a0", "#b5534a"),
    "pool": ("#f0c3e0", "#a9628f"),
    "other": ("#c9d1d8", "#76848f"),
    "engine": ("#f6c667", "#b98519"),
}
KERNELS = (
    ("depthwise", "depthwise_conv2d"),
    ("conv2d", "conv2d"),
    ("fully_connected", "fully_connected"),
    ("matmul", "fully_connected"),
    ("pool", "pool"),
    ("mean", "pool"),
    ("elementwise", "elementwise"),
    ("add", "elementwise"),
    ("mul", "elementwise"),
    ("lookup", "elementwise"),
)


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    fill: str
    stroke: str
    label: str
    more: str  # a second line
    tip: str


@dataclass(frozen=True, slots=True)
class _Entry:
    x: float
    fill: str
    stroke: str
    text: str


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    summary: str
    width: float
    height: float
    left: float
    row: float
    font: int
    legend: tuple[_Entry, ...]
    boxes: tuple[_Box, ...]


def colour_of(kernel: str) -> str:
    """The key in COLOURS of a kernel."""
    return next((colour for word, colour in KERNELS if word in kernel), "other")


def measured(tally: Tally, by: str) -> float:
    """Instructions, or estimated cycles of a core."""
    return tally.instructions if by == INSTRUCTIONS else tally.cycles.get(by, 0.0)


def flame_svg(profile: Profile, title: str, by: str) -> str:
    """An SVG document; the same profile gives the same text."""
    unit = INSTRUCTIONS if by == INSTRUCTIONS else f"estimated {by} cycles"
    total = max(measured(profile.total, by), 1.0)
    names = [*short_names([s.operator for s in profile.steps]), "engine"]
    colours = [*(colour_of(s.kernel) for s in profile.steps), "engine"]
    kernels = [*(s.kernel for s in profile.steps), "between steps: generated code and the stage engine"]
    parts = [*(s.part for s in profile.steps), profile.engine]
    boxes = [_box(LEFT, 0, WIDTH, ("#eef1f4", "#76848f"), title, _amount(total, unit), f"{title}: {total:,.0f} {unit}")]
    x = float(LEFT)
    for n, (name, colour, kernel, part) in enumerate(zip(names, colours, kernels, parts, strict=True)):
        amount = measured(part.total, by)
        width = WIDTH * amount / total
        number = str(n) if n < len(profile.steps) else ""
        tip = f"{number} {name} ({kernel}): {_amount(amount, unit)}, {100 * amount / total:.1f} %".strip()
        boxes.append(_box(x, 1, width, COLOURS[colour], name, f"{100 * amount / total:.1f} %", tip, number))
        boxes += _functions(part, x, width, COLOURS[colour], name, by, unit)
        x += width
    page = _Page(
        title=f"{title}: where the {unit} go",
        summary="The model, its steps in order by name or number, the functions that each runs. Point at a box for its "
        "figures.",
        width=2 * LEFT + WIDTH,
        height=TOP + 3 * (ROW + GAP) + BELOW,
        left=LEFT,
        row=ROW,
        font=FONT,
        legend=_legend(colours),
        boxes=tuple(b for b in boxes if b.width >= 0.2),
    )
    return render_svg("profile_flame.svg.jinja2", page)


def _functions(
    part: Part, x: float, width: float, colour: tuple[str, str], step: str, by: str, unit: str
) -> list[_Box]:
    whole = max(measured(part.total, by), 1.0)
    boxes = []
    for name, tally in sorted(part.functions, key=lambda item: -measured(item[1], by)):
        amount = measured(tally, by)
        wide = width * amount / whole
        tip = f"{name} in {step}: {_amount(amount, unit)}"
        boxes.append(_box(x, 2, wide, colour, name.removeprefix("tess_"), f"{100 * amount / whole:.0f} %", tip))
        x += wide
    return boxes


def _box(
    x: float, layer: int, width: float, colour: tuple[str, str], label: str, more: str, tip: str, number: str = ""
) -> _Box:
    """`number` stands for a label of which hardly anything can be read."""
    ems = (width - 6) / FONT
    shown = fit_width(label, ems)
    if number and len(shown) < min(len(label), LEAST_READ):
        shown = number if width_of(number) <= ems else ""
    return _Box(
        px(x),
        TOP + layer * (ROW + GAP),
        round(max(width - (0.5 if width > 2 else 0), 0.0), 2),
        *colour,
        shown,
        more if shown and width_of(more) <= ems else "",
        tip,
    )


def _amount(amount: float, unit: str) -> str:
    for limit, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= limit:
            return f"{amount / limit:.3g} {prefix} {unit}"
    return f"{amount:.0f} {unit}"


def _legend(colours: Sequence[str]) -> tuple[_Entry, ...]:
    entries, x = [], float(LEFT)
    for name in (c for c in COLOURS if c in colours):
        entries.append(_Entry(px(x), *COLOURS[name], name))
        x += 32 + 6.2 * len(name)
    return tuple(entries)
