"""Memory map as a picture: time (slots) from left to right, addresses from bottom to top, every buffer by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op
from tessera.memory.plan import MemoryPlan, Role
from tessera.memory.planner import step_bytes
from tessera.report.outlines import Frame, Rect, addresses, buffer_rects, outline, overlapping, shared
from tessera.report.svg import CHARACTER, HATCHED, fit, px, render_svg, round_step, short_names
from tessera.schedule.schedule import Schedule
from tessera.schedule.slots import Slot, make_slots, stage_slots

LEFT, TOP, RIGHT_MARGIN, NAMES_HEIGHT = 84, 92, 150, 118
SMALL_COLUMN, SMALL_LINE = 330, 15

COLOURS = {
    "graph input": ("#f6c667", "#b98519"),
    "conv2d": ("#8fb8e8", "#3f6fa8"),
    "depthwise_conv2d": ("#93d1b5", "#3c8a68"),
    "fully_connected": ("#b8a6e6", "#6a54ab"),
    "elementwise": ("#f2a7a0", "#b5534a"),
    "pool": ("#f0c3e0", "#a9628f"),
    "other": ("#c9d1d8", "#76848f"),
    "rows kept": ("#7fc8c2", "#2c7a74"),
    "window": ("#d9e6a8", "#7d8f2f"),
    "columns left": ("#e8c9a0", "#96692b"),
    "scratch": (HATCHED, "#76848f"),
}
KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (ir.Conv2D, "conv2d"),
    (ir.DepthwiseConv2D, "depthwise_conv2d"),
    (ir.FullyConnected, "fully_connected"),
    ((ir.Add, ir.Sub, ir.Mul, ir.PRelu, ir.Lookup, ir.Quantize, ir.Dequantize), "elementwise"),
    ((ir.AvgPool2D, ir.MaxPool2D, ir.Mean, ir.MeanOfMeans), "pool"),
)
PARTS = {Role.LINES: "rows kept", Role.WINDOW: "window", Role.LEFT: "columns left", Role.SCRATCH: "scratch"}


def memory_svg(schedule: Schedule, plan: MemoryPlan, title: str) -> str:
    """An SVG document; the same plan gives the same text."""
    return render_svg("memory_svg.svg.jinja2", _page(schedule, plan, title))


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
class Band:
    """Slots of one streamed stage."""

    x: float
    width: float
    text: str


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
    bands: tuple[Band, ...]
    borders: tuple[Line, ...]
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]
    limits: tuple[Limit, ...]
    small: tuple[Entry, ...]


def _page(schedule: Schedule, plan: MemoryPlan, title: str) -> Page:
    slots = make_slots(schedule)
    times = max(len(slots), max((b.end for b in plan.buffers), default=0))  # with the time behind the last slot
    step = min(150.0, max(46.0, 1150.0 / max(times, 1)))
    map_height = min(720.0, max(440.0, 0.22 * step * times))
    right, bottom = LEFT + step * times, TOP + map_height
    scale = map_height / max(plan.arena_bytes, 1)
    rects, at = buffer_rects(plan, Frame(LEFT, bottom, step, scale)), addresses(plan)
    kinds = _kinds(schedule, plan)
    labels: list[Label] = []
    small: list[Entry] = []
    in_row = max(1, int((right + RIGHT_MARGIN - LEFT) // SMALL_COLUMN))
    small_top = bottom + NAMES_HEIGHT + 12
    rooms = [_room(i, rects, plan, step) for i in range(len(rects))]
    texts = [
        _name(name, b.role) for name, b in zip(short_names([b.name for b in plan.buffers]), plan.buffers, strict=True)
    ]
    for b, address, room, name, kind in zip(plan.buffers, at, rooms, texts, kinds, strict=True):
        label = _label(room, name, f"{b.nbytes:,} B")
        if label is not None:
            labels.append(label)
        else:
            row, column = divmod(len(small), in_row)
            x, y = LEFT + column * SMALL_COLUMN, small_top + 18 + row * SMALL_LINE
            text = f"{fit(name, 26)}  {b.nbytes:,} B at {address:,}, {_span(b.start, b.end, len(slots))}"
            small.append(Entry(x, y, *COLOURS[kind], text))
    pressure = step_bytes(plan.buffers, plan.overlaps)[: len(slots)]
    worst = pressure.index(max(pressure)) if pressure else -1
    rows = -(-len(small) // in_row)
    return Page(
        title=title,
        summary=_summary(plan, pressure, worst),
        width=px(right + RIGHT_MARGIN),
        height=px(small_top + (24 + rows * SMALL_LINE if small else 0)),
        left=LEFT,
        right=px(right),
        top=TOP,
        bottom=px(bottom),
        step=px(step),
        small_top=px(small_top),
        legend=_legend(kinds),
        ticks=_ticks(plan.arena_bytes, bottom, scale),
        columns=tuple(
            Column(
                px(LEFT + step * number),
                px(LEFT + step * (number + 0.5)),
                f"{number} {_slot_text(schedule, slot)}",
                f"slot {number}: {_slot_name(schedule, slot)}; {pressure[number]:,} B must exist",
                "#fdf3d7" if number == worst else "",
            )
            for number, slot in enumerate(slots)
        ),
        bands=tuple(
            Band(px(LEFT + step * begin), px(step * (end - begin)), _stage_text(schedule, number, step * (end - begin)))
            for number, (begin, end) in enumerate(stage_slots(schedule))
            if not schedule.stages[number].is_layer
        ),
        borders=_borders(plan, bottom, scale),
        shapes=tuple(
            Shape(
                outline(i, rects, plan),
                *COLOURS[kinds[i]],
                f"{_name(b.name, b.role)}\n{b.nbytes:,} B at [{at[i]:,}, {at[i] + b.nbytes:,}), "
                f"{_span(b.start, b.end, len(slots))}",
            )
            for i, b in enumerate(plan.buffers)
        ),
        labels=tuple(labels),
        limits=_limits(plan, bottom, scale),
        small=tuple(small),
    )


def _name(name: str, role: Role) -> str:
    """Of a part, the beginning of the path, so that there is room to say which part."""
    return name if role is Role.WHOLE else f"{name.split('/')[0]}, {PARTS[role]}"


def _kinds(schedule: Schedule, plan: MemoryPlan) -> list[str]:
    graph, producer = schedule.graph, schedule.graph.producer()
    kinds: list[str] = []
    for b in plan.buffers:
        maker = producer.get(b.tensors[0])
        attrs = None if maker is None else graph.ops[maker].attrs
        named = next((name for types, name in KINDS if isinstance(attrs, types)), "other")
        kinds.append(PARTS.get(b.role) or ("graph input" if attrs is None else named))
    return kinds


def _borders(plan: MemoryPlan, bottom: float, scale: float) -> tuple[Line, ...]:
    """Where each memory begins, if there are several."""
    lines: list[Line] = []
    base = 0
    for memory in plan.memories if len(plan.memories) > 1 else ():
        lines.append(Line(px(bottom - scale * base), f"{memory.name}: {memory.bytes:,} B"))
        base += memory.bytes
    return tuple(lines)


def _label(rect: Rect, name: str, size_text: str) -> Label | None:
    """Name and bytes on one line or two, level or upright, whichever shows the most; None when neither can be read."""
    best: tuple[float, Label] | None = None
    for upright in (False, True):
        along, across = (rect.height, rect.width) if upright else (rect.width, rect.height)
        for size in (11.0, 9.5, 8.0):
            fits = int((along - 6) / (size * CHARACTER))
            one_line = f"{name}  {size_text}"
            if across >= 2.5 * size and fits >= max(len(size_text), min(len(name), 7)):
                texts: tuple[str, ...] = (fit(name, fits), size_text)
            elif across >= 1.15 * size and fits >= min(len(one_line), len(size_text) + 9):
                texts = (f"{fit(name, fits - len(size_text) - 2)}  {size_text}",)
            else:
                continue
            shown = sum(map(len, texts)) / (len(name) + len(size_text)) + size / 50 - (0.3 if upright else 0)
            first = size * 0.35 - (len(texts) - 1) * size * 0.6
            lines = tuple(Line(px(first + i * size * 1.2), text) for i, text in enumerate(texts))
            label = Label(px((rect.x0 + rect.x1) / 2), px((rect.low + rect.high) / 2), size, upright, lines)
            if best is None or shown > best[0]:
                best = (shown, label)
    return best[1] if best else None


def _room(index: int, rects: Sequence[Rect], plan: MemoryPlan, step: float) -> Rect:
    """Where the label of a buffer goes: clear of its slopes."""
    r = rects[index]
    x0, x1, low, high = r.x0, r.x1, r.low, r.high
    for o in plan.overlaps:
        begin, end = shared(rects[o.target], rects[o.source])
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
        return (Limit(px(top), px(top + 4), "#c0392b", "none", (arena, "= lower bound:", "proven least")),)
    lower = ("lower bound", f"{plan.lower_bound_bytes:,} B")
    return (
        Limit(px(top), px(top + 4), "#c0392b", "none", (arena,)),
        Limit(px(bound), px(max(bound + 4, top + 20)), "#2c7a4b", "7 4", lower),
    )


def _summary(plan: MemoryPlan, pressure: Sequence[int], worst: int) -> str:
    scratch = f", up to {plan.scratch_bytes:,} B of it scratch" if plan.scratch_bytes else ""
    peak = f"; most must exist at slot {worst}: {pressure[worst]:,} B" if pressure else ""
    slides = f"; {count} outputs slide over their input (slopes)" if (count := overlapping(plan)) else ""
    return f"arena {plan.arena_bytes:,} B{scratch}, {len(plan.buffers)} buffers{peak}{slides}"


def _legend(kinds: Sequence[str]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    x = float(LEFT)
    for kind in (k for k in COLOURS if k in kinds):
        entries.append(Entry(px(x), 0, *COLOURS[kind], kind))
        x += 17 + 11 * CHARACTER * len(kind) + 22
    return tuple(entries)


def _ticks(arena_bytes: int, bottom: float, scale: float) -> tuple[Line, ...]:
    step = round_step(arena_bytes, 6)
    return tuple(Line(px(bottom - scale * at), f"{at:,}") for at in range(0, arena_bytes + 1, step))


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


def _slot_text(schedule: Schedule, slot: Slot) -> str:
    return "input" if slot.op is None else _op_text(schedule.graph, schedule.graph.ops[slot.op])


def _slot_name(schedule: Schedule, slot: Slot) -> str:
    return "a graph input is pulled" if slot.op is None else schedule.graph.ops[slot.op].name


def _stage_text(schedule: Schedule, number: int, width: float) -> str:
    stage = schedule.stages[number]
    for text in (f"stage {number}: {stage.row_ticks} x {stage.col_ticks} ticks", f"stage {number}", str(number)):
        if len(text) * 10 * CHARACTER < width:
            return text
    return ""


def _span(start: int, end: int, slots: int) -> str:
    last = min(end, slots) - 1
    when = f"slot {start}" if last <= start else f"slots {start} to {last}"
    return f"{when} and after" if end > slots else when
