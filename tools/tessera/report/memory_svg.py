"""Memory map as a picture: time (stages) from left to right, addresses from bottom to top, every buffer by name.

Where an output slides over its dying input, the border between the two is a slope: during the stage, the output grows
upwards over rows of the input that nobody needs any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op
from tessera.memory.plan import MemoryPlan
from tessera.memory.planner import step_bytes
from tessera.schedule.schedule import Schedule

LEFT, TOP, RIGHT_MARGIN, NAMES_HEIGHT = 84, 92, 150, 118
CHARACTER = 0.56  # width of a character in ems, on average
SMALL_COLUMN, SMALL_LINE = 330, 15

COLOURS = {
    "graph input": ("#f6c667", "#b98519"),
    "conv2d": ("#8fb8e8", "#3f6fa8"),
    "depthwise_conv2d": ("#93d1b5", "#3c8a68"),
    "fully_connected": ("#b8a6e6", "#6a54ab"),
    "elementwise": ("#f2a7a0", "#b5534a"),
    "pool": ("#f0c3e0", "#a9628f"),
    "other": ("#c9d1d8", "#76848f"),
}
KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (ir.Conv2D, "conv2d"),
    (ir.DepthwiseConv2D, "depthwise_conv2d"),
    (ir.FullyConnected, "fully_connected"),
    ((ir.Add, ir.Sub, ir.Mul, ir.PRelu, ir.Lookup, ir.Quantize, ir.Dequantize), "elementwise"),
    ((ir.AvgPool2D, ir.MaxPool2D, ir.Mean), "pool"),
)


def memory_svg(schedule: Schedule, plan: MemoryPlan, title: str) -> str:
    """An SVG document; the same plan gives the same text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("memory_svg.svg.jinja2").render(p=_page(schedule, plan, title))


@dataclass(frozen=True, slots=True)
class Rect:
    """A buffer in the picture's pixels; y grows downwards, `low` is its first address."""

    x0: float
    x1: float
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.low - self.high


@dataclass(frozen=True, slots=True)
class Line:
    """A text and its height in the picture."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float
    size: float
    upright: bool
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    path: str
    fill: str
    stroke: str
    tip: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A coloured square with a text."""

    x: float
    y: float
    fill: str
    stroke: str
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    x: float
    middle: float
    text: str
    tip: str
    fill: str


@dataclass(frozen=True, slots=True)
class Limit:
    y: float
    text_y: float
    stroke: str
    dash: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    summary: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    step: float
    small_top: float
    legend: tuple[Entry, ...]
    ticks: tuple[Line, ...]
    columns: tuple[Column, ...]
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]
    limits: tuple[Limit, ...]
    small: tuple[Entry, ...]


def _page(schedule: Schedule, plan: MemoryPlan, title: str) -> Page:
    graph, stages = schedule.graph, len(schedule.stages)
    times = max(stages, max((b.end for b in plan.buffers), default=0))  # with the time after the last stage
    step = min(150.0, max(46.0, 1150.0 / max(times, 1)))
    map_height = min(720.0, max(440.0, 0.22 * step * times))
    right, bottom = LEFT + step * times, TOP + map_height
    scale = map_height / max(plan.arena_bytes, 1)
    rects = [
        Rect(LEFT + step * b.start, LEFT + step * b.end, bottom - scale * offset, bottom - scale * (offset + b.nbytes))
        for b, offset in zip(plan.buffers, plan.offsets, strict=True)
    ]
    kinds = _kinds(schedule, plan)
    names = _short_names([b.name for b in plan.buffers])
    labels: list[Label] = []
    small: list[Entry] = []
    in_row = max(1, int((right + RIGHT_MARGIN - LEFT) // SMALL_COLUMN))
    small_top = bottom + NAMES_HEIGHT + 12
    rooms = [_room(i, rects, plan, step) for i in range(len(rects))]
    for b, offset, room, name, kind in zip(plan.buffers, plan.offsets, rooms, names, kinds, strict=True):
        label = _label(room, name, f"{b.nbytes:,} B")
        if label is not None:
            labels.append(label)
        else:
            row, column = divmod(len(small), in_row)
            x, y = LEFT + column * SMALL_COLUMN, small_top + 18 + row * SMALL_LINE
            text = f"{_fit(name, 26)}  {b.nbytes:,} B at {offset:,}, {_span(b.start, b.end, stages)}"
            small.append(Entry(x, y, *COLOURS[kind], text))
    pressure = step_bytes(plan.buffers, plan.overlaps)[:stages]
    worst = pressure.index(max(pressure)) if pressure else -1
    rows = -(-len(small) // in_row)
    return Page(
        title=title,
        summary=_summary(plan, pressure, worst),
        width=_px(right + RIGHT_MARGIN),
        height=_px(small_top + (24 + rows * SMALL_LINE if small else 0)),
        left=LEFT,
        right=_px(right),
        top=TOP,
        bottom=_px(bottom),
        step=_px(step),
        small_top=_px(small_top),
        legend=_legend(kinds),
        ticks=_ticks(plan.arena_bytes, bottom, scale),
        columns=tuple(
            Column(
                _px(LEFT + step * number),
                _px(LEFT + step * (number + 0.5)),
                f"{number} {' + '.join(_op_text(graph, graph.ops[i]) for i in stage.ops)}",
                f"stage {number}: {', '.join(graph.ops[i].name for i in stage.ops)}; {pressure[number]:,} B must exist",
                "#fdf3d7" if number == worst else "",
            )
            for number, stage in enumerate(schedule.stages)
        ),
        shapes=tuple(
            Shape(
                _path(i, rects, plan, step),
                *COLOURS[kinds[i]],
                f"{b.name}\n{b.nbytes:,} B at [{plan.offsets[i]:,}, {plan.offsets[i] + b.nbytes:,}), "
                f"{_span(b.start, b.end, stages)}",
            )
            for i, b in enumerate(plan.buffers)
        ),
        labels=tuple(labels),
        limits=_limits(plan, bottom, scale),
        small=tuple(small),
    )


def _kinds(schedule: Schedule, plan: MemoryPlan) -> list[str]:
    graph, producer = schedule.graph, schedule.graph.producer()
    kinds: list[str] = []
    for b in plan.buffers:
        maker = producer.get(b.tensors[0])
        attrs = None if maker is None else graph.ops[maker].attrs
        named = next((name for types, name in KINDS if isinstance(attrs, types)), "other")
        kinds.append("graph input" if attrs is None else named)
    return kinds


def _short_names(names: Sequence[str]) -> list[str]:
    """The first of the names that a converter joined by ';', without the path that most of them begin with."""
    firsts = [n.split(";")[0] for n in names]
    heads = [n.split("/")[0] for n in firsts if "/" in n]
    common = max(dict.fromkeys(heads), key=heads.count, default=None)
    return [n.removeprefix(f"{common}/") if heads.count(common or "") > 1 else n for n in firsts]


def _label(rect: Rect, name: str, size_text: str) -> Label | None:
    """Name and bytes on one line or two, level or upright, whichever shows the most; None when neither can be read."""
    best: tuple[float, Label] | None = None
    for upright in (False, True):
        along, across = (rect.height, rect.width) if upright else (rect.width, rect.height)
        for size in (11.0, 9.5, 8.0):
            fits = int((along - 6) / (size * CHARACTER))
            one_line = f"{name}  {size_text}"
            if across >= 2.5 * size and fits >= max(len(size_text), min(len(name), 7)):
                texts: tuple[str, ...] = (_fit(name, fits), size_text)
            elif across >= 1.15 * size and fits >= min(len(one_line), len(size_text) + 9):
                texts = (f"{_fit(name, fits - len(size_text) - 2)}  {size_text}",)
            else:
                continue
            shown = sum(map(len, texts)) / (len(name) + len(size_text)) + size / 50 - (0.3 if upright else 0)
            first = size * 0.35 - (len(texts) - 1) * size * 0.6
            lines = tuple(Line(_px(first + i * size * 1.2), text) for i, text in enumerate(texts))
            label = Label(_px((rect.x0 + rect.x1) / 2), _px((rect.low + rect.high) / 2), size, upright, lines)
            if best is None or shown > best[0]:
                best = (shown, label)
    return best[1] if best else None


def _path(index: int, rects: Sequence[Rect], plan: MemoryPlan, step: float) -> str:
    """The outline of a buffer: a rectangle, but for the slopes that it shares with what it overlaps."""
    r = rects[index]
    points = [(r.x1, r.low), (r.x0, r.low)]
    for o in sorted((o for o in plan.overlaps if o.target == index), key=lambda o: plan.offsets[o.source]):
        begin, end = _shared(r, rects[o.source])
        if begin > end:
            points += [(r.x0, begin), (r.x0 + step, end)]
            points += [(r.x0, end)] if end > r.high + 0.5 else []
    points += [(r.x0, r.high)] if points[-1][0] == r.x0 else []
    points.append((r.x1, r.high))
    for o in (o for o in plan.overlaps if o.source == index):
        begin, end = _shared(r, rects[o.target])
        if begin > end:
            points += [(r.x1, end), (r.x1 - step, begin)]
            points = points[1:] if begin > r.low - 0.5 else points
    return "M" + " L".join(f"{_px(x)} {_px(y)}" for x, y in dict.fromkeys(points)) + " Z"


def _shared(a: Rect, b: Rect) -> tuple[float, float]:
    """First and last common address; the first is not greater when there is none (y grows downwards)."""
    return min(a.low, b.low), max(a.high, b.high)


def _room(index: int, rects: Sequence[Rect], plan: MemoryPlan, step: float) -> Rect:
    """Where the label of a buffer goes: clear of its slopes."""
    r = rects[index]
    x0, x1, low, high = r.x0, r.x1, r.low, r.high
    for o in plan.overlaps:
        begin, end = _shared(rects[o.target], rects[o.source])
        if begin <= end:
            continue
        if o.target == index:
            x0 += step / 2
        if o.source == index and r.width > 1.5 * step:
            x1 -= step / 2
        elif o.source == index and end - r.high > 24:
            low = end
        elif o.source == index:
            x1, low = x1 - step / 4, low - r.height / 3
    return Rect(x0, max(x1, x0), low, high)


def _limits(plan: MemoryPlan, bottom: float, scale: float) -> tuple[Limit, ...]:
    top, bound = bottom - scale * plan.arena_bytes, bottom - scale * plan.lower_bound_bytes
    arena = f"arena {plan.arena_bytes:,} B"
    if plan.optimal:
        return (Limit(_px(top), _px(top + 4), "#c0392b", "none", (arena, "= lower bound:", "proven least")),)
    lower = (f"lower bound {plan.lower_bound_bytes:,} B",)
    return (
        Limit(_px(top), _px(top + 4), "#c0392b", "none", (arena,)),
        Limit(_px(bound), _px(max(bound + 4, top + 20)), "#2c7a4b", "7 4", lower),
    )


def _summary(plan: MemoryPlan, pressure: Sequence[int], worst: int) -> str:
    scratch = f" + {plan.scratch_bytes:,} B of kernel scratch behind it" if plan.scratch_bytes else ""
    peak = f"; most must exist at stage {worst}: {pressure[worst]:,} B" if pressure else ""
    shared = sum(_shares(plan, o.target, o.source) for o in plan.overlaps)
    slides = f"; {shared} outputs slide over their input (slopes)" if shared else ""
    return f"arena {plan.arena_bytes:,} B{scratch}, {len(plan.buffers)} buffers{peak}{slides}"


def _shares(plan: MemoryPlan, a: int, b: int) -> bool:
    (x, n), (y, m) = ((plan.offsets[i], plan.buffers[i].nbytes) for i in (a, b))
    return x < y + m and y < x + n


def _legend(kinds: Sequence[str]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    x = float(LEFT)
    for kind in (k for k in COLOURS if k in kinds):
        entries.append(Entry(_px(x), 0, *COLOURS[kind], kind))
        x += 17 + 11 * CHARACTER * len(kind) + 22
    return tuple(entries)


def _ticks(arena_bytes: int, bottom: float, scale: float) -> tuple[Line, ...]:
    rough = max(arena_bytes, 1) / 6
    power = 10 ** (len(str(int(rough))) - 1)
    step = next((m * power for m in (1, 2, 5, 10) if m * power >= rough), power)
    return tuple(Line(_px(bottom - scale * at), f"{at:,}") for at in range(0, arena_bytes + 1, step))


def _op_text(graph: Graph, op: Op) -> str:
    match op.attrs:
        case ir.Conv2D() | ir.DepthwiseConv2D() as conv:
            _, height, width, _ = graph.tensor(op.inputs[1]).shape
            word = "dw" if isinstance(conv, ir.DepthwiseConv2D) else "conv"
            return f"{word} {height}x{width}" + (f" /{conv.stride[0]}" if conv.stride != (1, 1) else "")
        case ir.Lookup() as lookup:
            return lookup.origin.lower()
        case ir.FullyConnected():
            return "fully connected"
        case _:
            return type(op.attrs).__name__.lower()


def _span(start: int, end: int, stages: int) -> str:
    last = min(end, stages) - 1
    when = f"stage {start}" if last <= start else f"stages {start} to {last}"
    return f"{when} and after" if end > stages else when


def _fit(text: str, characters: int) -> str:
    """A path tells the most at its end, another name at its beginning."""
    keep = max(1, characters - 1)
    if len(text) <= characters:
        return text
    return f"…{text[-keep:]}" if "/" in text else f"{text[:keep]}…"


def _px(value: float) -> float:
    return round(value, 1)
