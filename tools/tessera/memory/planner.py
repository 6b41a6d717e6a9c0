"""Offsets of buffers: greedy orders at once, then an exact solver where the lower bound is not reached.

Everything reduces to one table of distances: for two buffers alive together, offset(a) + distance[a, b] <= offset(b) or
offset(b) + distance[b, a] <= offset(a). The distance is a's bytes, or its lead where the pair is a safe overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tessera.memory.align import ARENA_ALIGNMENT, align_up
from tessera.memory.buffers import make_buffers, make_overlaps
from tessera.memory.overlap import saved_bytes
from tessera.memory.plan import Buffer, MemoryPlan, SafeOverlap
from tessera.schedule.schedule import Schedule

Distances = list[dict[int, int]]  # [a][b], for pairs alive together


def plan_memory(schedule: Schedule, *, time_limit_s: float = 10.0, scratch_bytes: int = 0) -> MemoryPlan:
    """Places every buffer of the schedule. The same schedule gives the same plan: the solver's limit counts its work,
    about one unit a second, not the clock."""
    buffers = make_buffers(schedule)
    overlaps = make_overlaps(schedule, buffers)
    distances = _distances(buffers, overlaps)
    pressure = step_bytes(buffers, overlaps)
    bound = align_up(max(pressure, default=0), ARENA_ALIGNMENT)
    candidates = [_place(order, buffers, distances) for order in _orders(buffers, pressure)]
    offsets = min(candidates, key=lambda c: arena_bytes(buffers, c))
    arena = arena_bytes(buffers, offsets)
    return MemoryPlan(buffers, overlaps, offsets, arena, scratch_bytes, bound, arena == bound)


def step_bytes(buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap]) -> list[int]:
    """Bytes that must exist at each time, what overlaps can share taken off: no plan's arena is less."""
    sums = [0] * max((b.end for b in buffers), default=0)
    for b in buffers:
        for time in range(b.start, b.end):
            sums[time] += align_up(b.nbytes)
    shared: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for o in overlaps:
        shared.setdefault((o.stage, o.target), []).append((buffers[o.source].nbytes, o.lead))
    for (time, target), sources in shared.items():
        sums[time] -= saved_bytes(buffers[target].nbytes, sources)
    return sums


def arena_bytes(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    return align_up(max((o + b.nbytes for b, o in zip(buffers, offsets, strict=True)), default=0), ARENA_ALIGNMENT)


def _distances(buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap]) -> Distances:
    distances: Distances = [
        {j: align_up(a.nbytes) for j, b in enumerate(buffers) if j != i and a.lives_with(b)}
        for i, a in enumerate(buffers)
    ]
    for o in overlaps:
        distances[o.target][o.source] = min(distances[o.target][o.source], align_up(max(0, o.lead)))
    return distances


def _orders(buffers: Sequence[Buffer], pressure: Sequence[int]) -> Iterator[list[int]]:
    """Orders in which to place: large first, long-lived and large first, alive at the worst steps first."""
    ids = range(len(buffers))
    peak = [max(pressure[b.start : b.end], default=0) for b in buffers]
    yield sorted(ids, key=lambda i: (-buffers[i].nbytes, i))
    yield sorted(ids, key=lambda i: (-buffers[i].nbytes * (buffers[i].end - buffers[i].start), i))
    yield sorted(ids, key=lambda i: (-peak[i], -buffers[i].nbytes, i))
    yield sorted(ids, key=lambda i: (buffers[i].start, -buffers[i].end, i))
    yield sorted(ids, key=lambda i: (-buffers[i].end, buffers[i].start, i))


def _place(order: Sequence[int], buffers: Sequence[Buffer], distances: Distances) -> tuple[int, ...]:
    """Each buffer at the lowest offset that its placed neighbours allow."""
    offsets: dict[int, int] = {}
    for i in order:
        blocked = sorted(
            (offsets[j] - distances[i][j], offsets[j] + distances[j][i]) for j in distances[i] if j in offsets
        )
        at = 0
        for low, high in blocked:
            if low < at < high:
                at = high
        offsets[i] = at
    return tuple(offsets[i] for i in range(len(buffers)))
