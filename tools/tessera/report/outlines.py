"""Buffers of a plan as outlines: slots from left to right, addresses upwards, one memory above the other.

Where an output slides over its dying input, the border between the two is a slope: while both live, the output grows
upwards over rows of the input that nobody needs any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from tessera.memory.plan import MemoryPlan
from tessera.report.svg import px


@dataclass(frozen=True, slots=True)
class Frame:
    """Where slot 0 and byte 0 lie, px a slot, px a byte."""

    left: float
    bottom: float
    step: float
    scale: float


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


def addresses(plan: MemoryPlan) -> list[int]:
    """Of each buffer: its offset, above the memories before its own."""
    bases = [0, *accumulate(m.bytes for m in plan.memories)]
    return [bases[place.memory] + place.offset for place in plan.places]


def buffer_rects(plan: MemoryPlan, frame: Frame) -> list[Rect]:
    def y(address: int) -> float:
        return frame.bottom - frame.scale * address

    def x(slot: int) -> float:
        return frame.left + frame.step * slot

    buffers = zip(plan.buffers, addresses(plan), strict=True)
    return [Rect(x(b.start), x(b.end), y(at), y(at + b.nbytes)) for b, at in buffers]


def outline(index: int, rects: Sequence[Rect], plan: MemoryPlan) -> str:
    """A path: a rectangle, but for the slopes that the buffer shares with what it overlaps."""
    r, at = rects[index], addresses(plan)
    points = [(r.x1, r.low), (r.x0, r.low)]
    for o in sorted((o for o in plan.overlaps if o.target == index), key=lambda o: at[o.source]):
        begin, end = shared(r, rects[o.source])
        if begin > end:
            points += [(r.x0, begin), (rects[o.source].x1, end)]
            points += [(r.x0, end)] if end > r.high + 0.5 else []
    points += [(r.x0, r.high)] if points[-1][0] == r.x0 else []
    points.append((r.x1, r.high))
    for o in (o for o in plan.overlaps if o.source == index):
        begin, end = shared(r, rects[o.target])
        if begin > end:
            points += [(r.x1, end), (rects[o.target].x0, begin)]
            points = points[1:] if begin > r.low - 0.5 else points
    return "M" + " L".join(f"{px(x)} {px(y)}" for x, y in dict.fromkeys(points)) + " Z"


def shared(a: Rect, b: Rect) -> tuple[float, float]:
    """First and last common address; the first is not greater when there is none (y grows downwards)."""
    return min(a.low, b.low), max(a.high, b.high)


def overlapping(plan: MemoryPlan) -> int:
    """How many of the safe overlaps the plan uses."""
    at = addresses(plan)
    pairs = (
        (at[o.target], plan.buffers[o.target].nbytes, at[o.source], plan.buffers[o.source].nbytes)
        for o in plan.overlaps
    )
    return sum(x < y + m and y < x + n for x, n, y, m in pairs)
