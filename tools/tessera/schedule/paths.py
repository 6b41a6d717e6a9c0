"""Paths through a space of schedules: least work under a limit of bytes, least bytes under a limit of MACs, the front.

All exact over the edges of the space. Least work is a shortest path over the edges within the limit; least bytes is the
least limit at which that path executes few enough MACs, found by bisection over the sizes that occur.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tessera.schedule.space import Cut, Edge, Space, detour

Weight = Callable[[Edge], int]


@dataclass(frozen=True, slots=True)
class Point:
    """A schedule: the most bytes of its stages, MACs and instructions executed, and the stages."""

    bytes: int
    macs: int
    cost: int
    edges: tuple[Edge, ...]


def by_macs(edge: Edge) -> int:
    """MACs first, instructions to choose between equals."""
    return edge.macs * (1 << 40) + edge.cost


def by_macs_then_bytes(edge: Edge) -> int:
    """MACs first, small stages to choose between equals: they are easier to pack."""
    return edge.macs * (1 << 40) + edge.bytes


def by_instructions(edge: Edge) -> int:
    return edge.cost


def least_work(space: Space, limit_bytes: int, weigh: Weight = by_instructions) -> Point | None:
    """The path of least weight whose stages all keep within the limit; None: there is none."""
    return _shortest(space, _topological(space), limit_bytes, weigh)


def least_bytes(space: Space, most_macs: int, weigh: Weight = by_macs) -> Point | None:
    """The point of least memory that executes at most `most_macs`, with the fewest MACs that this memory allows; None:
    there is none."""
    sizes, order = sorted({e.bytes for e in space.edges}), _topological(space)
    best: Point | None = None
    lo, hi = 0, len(sizes)
    while lo < hi:
        middle = (lo + hi) // 2
        point = _shortest(space, order, sizes[middle], weigh)
        if point is not None and point.macs <= most_macs:
            hi, best = middle, point
        else:
            lo = middle + 1
    return best if space.net.nodes else Point(0, 0, 0, ())


def front(space: Space, most_macs: int) -> tuple[Point, ...]:
    """Every point that no other beats in both bytes and MACs, from the least memory up."""
    sizes, order = sorted({e.bytes for e in space.edges}, reverse=True), _topological(space)
    points: list[Point] = []
    at = 0
    while at < len(sizes):
        point = _shortest(space, order, sizes[at], by_macs)
        if point is None or point.macs > most_macs:
            break
        if points and points[-1].macs == point.macs:
            points.pop()
        points.append(point)
        at = sizes.index(point.bytes) + 1
    return tuple(reversed(points))


def _shortest(space: Space, order: Sequence[Cut], limit_bytes: int, weigh: Weight) -> Point | None:
    out: dict[Cut, list[Edge]] = {}
    for e in space.edges:
        if e.bytes <= limit_bytes:
            out.setdefault(e.start, []).append(e)
    best: dict[Cut, tuple[int, Edge | None]] = {0: (0, None)}
    for cut in order:
        if cut not in best:
            continue
        base = best[cut][0]
        for e in out.get(cut, ()):
            weight = base + weigh(e)
            if e.end not in best or weight < best[e.end][0]:
                best[e.end] = (weight, e)
    at: Cut = len(space.net.nodes)
    if at not in best:
        return None
    path: list[Edge] = []
    while at != 0:
        edge = best[at][1]
        assert edge is not None
        path.append(edge)
        at = edge.start
    path.reverse()
    nbytes = max((e.bytes for e in path), default=0)
    return Point(nbytes, sum(e.macs for e in path), sum(e.cost for e in path), tuple(path))


def _topological(space: Space) -> list[Cut]:
    """Cuts of the graph in order; those inside a rewritten block behind the cut that it begins at."""
    inside: dict[int, list[Cut]] = {}
    for v in range(len(space.nets)):
        lo, hi, _ = detour(space, v)
        inside.setdefault(lo, []).extend((v, cut) for cut in range(lo + 1, hi))
    order: list[Cut] = []
    for cut in range(len(space.net.nodes) + 1):
        order.append(cut)
        order += inside.get(cut, [])
    return order
