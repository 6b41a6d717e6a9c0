"""Memory over time of several schedules side by side, to one scale: layer by layer beside streamed.

As figure 1 of MCUNetV2 (arXiv 2110.15352), but of placed buffers: addresses upwards, so nothing is added up that could
not lie so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.memory.plan import Buffer, MemoryPlan, Role
from tessera.report.outlines import Frame, buffer_rects, outline
from tessera.report.svg import HATCHED, px, render_svg, round_step
from tessera.schedule.schedule import Schedule
from tessera.schedule.slots import make_slots, stage_slots

LEFT, TOP, HEIGHT, WIDTH, GAP, BELOW = 84, 104, 400, 460, 56, 46
COLOURS = {
    "input": ("#f6c667", "#b98519", "graph input"),
    "whole": ("#8fb8e8", "#3f6fa8", "whole maps"),
    "lines": ("#7fc8c2", "#2c7a74", "rows kept"),
    "window": ("#d9e6a8", "#7d8f2f", "windows"),
    "left": ("#e8c9a0", "#96692b", "columns left from the span before"),
    "scratch": (HATCHED, "#76848f", "scratch of kernels"),
    "stage": ("#eef7f6", "#9fcfca", "while a streamed stage runs"),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule and its plan, and what to write over them."""

    label: str
    schedule: Schedule
    plan: MemoryPlan


@dataclass(frozen=True, slots=True)
class _Shape:
    path: str
    fill: str
    stroke: str
    tip: str


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class _Band:
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class _Panel:
    label: str
    arena: str
    left: float
    right: float
    top: float  # of the arena
    shapes: tuple[_Shape, ...]
    bands: tuple[_Band, ...]
    slots: tuple[_Mark, ...]


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
    top: float
    bottom: float
    legend: tuple[_Entry, ...]
    marks: tuple[_Mark, ...]
    panels: tuple[_Panel, ...]


def memory_over_time_svg(panels: Sequence[Planned], title: str) -> str:
    most = max(p.plan.arena_bytes for p in panels)
    bottom = TOP + HEIGHT
    scale = HEIGHT / max(most, 1)
    drawn = tuple(_panel(p, LEFT + number * (WIDTH + GAP), bottom, scale) for number, p in enumerate(panels))
    kinds = {_kind(p.schedule, b) for p in panels for b in p.plan.buffers}
    kinds |= {"stage" for p in panels if any(not stage.is_layer for stage in p.schedule.stages)}
    legend: list[_Entry] = []
    x = float(LEFT)
    for kind, (fill, stroke, text) in COLOURS.items():
        if kind in kinds:
            legend.append(_Entry(px(x), fill, stroke, text))
            x += 42 + 6.2 * len(text)
    least = min(p.plan.arena_bytes for p in panels)
    step = round_step(most, 8)
    page = _Page(
        title=title,
        summary="; ".join(f"{p.label}: {p.plan.arena_bytes:,} B" for p in panels) + f"; 1 : {most / max(least, 1):.1f}",
        width=px(LEFT + len(panels) * (WIDTH + GAP)),
        height=px(bottom + BELOW),
        left=LEFT,
        top=TOP,
        bottom=bottom,
        legend=tuple(legend),
        marks=tuple(_Mark(px(bottom - scale * at), f"{at:,}") for at in range(0, most + 1, step)),
        panels=drawn,
    )
    return render_svg("memory_over_time.svg.jinja2", page)


def _panel(planned: Planned, left: float, bottom: float, scale: float) -> _Panel:
    schedule, plan = planned.schedule, planned.plan
    slots = len(make_slots(schedule))
    times = max(slots, max((b.end for b in plan.buffers), default=0), 1)
    step = WIDTH / times
    rects = buffer_rects(plan, Frame(left, bottom, step, scale))
    shapes = []
    for i, b in enumerate(plan.buffers):
        fill, stroke, text = COLOURS[_kind(schedule, b)]
        shapes.append(_Shape(outline(i, rects, plan), fill, stroke, f"{b.name}\n{text}, {b.nbytes:,} B"))
    streamed = (span for stage, span in zip(schedule.stages, stage_slots(schedule), strict=True) if not stage.is_layer)
    every = round_step(times, 8)
    return _Panel(
        label=planned.label,
        arena=f"{plan.arena_bytes:,} B",
        left=px(left),
        right=px(left + WIDTH),
        top=px(bottom - scale * plan.arena_bytes),
        shapes=tuple(shapes),
        bands=tuple(_Band(px(left + step * begin), px(step * (end - begin))) for begin, end in streamed),
        slots=tuple(_Mark(px(left + step * at), str(at)) for at in range(0, times, every)),
    )


def _kind(schedule: Schedule, buffer: Buffer) -> str:
    if buffer.role is not Role.WHOLE:
        return str(buffer.role.value)
    return "input" if buffer.tensors[0] in schedule.graph.inputs else "whole"
