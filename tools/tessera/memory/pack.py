"""Offsets of buffers in one memory: greedy orders at once, then an exact solver where the lower bound is not reached.

Everything reduces to one table of distances: for two buffers alive together, offset(a) + distance[a][b] <= offset(b) or
offset(b) + distance[b][a] <= offset(a). The distance is a's bytes, or its lead where the pair is a safe overlap. Pairs
that overlap in place may have equal offsets instead.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from tessera.memory.align import ARENA_ALIGNMENT, align_up
from tessera.memory.greedy import Distances, Pairs, place_greedily
from tessera.memory.overlap import saved_bytes
from tessera.memory.plan import Buffer, SafeOverlap
from tessera.memory.solver import solve

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Packing:
    """Offsets of buffers in one memory."""

    offsets: tuple[int, ...]
    nbytes: int
    bound_bytes: int


def pack(buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap], time_limit_s: float) -> Packing:
    """Offsets in one memory, as few bytes as can be found."""
    distances, equal = _distances(buffers, overlaps), _in_place(overlaps)
    pressure = step_bytes(buffers, overlaps)
    bound = align_up(max(pressure, default=0), ARENA_ALIGNMENT)
    offsets = place_greedily(buffers, distances, equal, pressure, bound)
    arena = _arena_bytes(buffers, offsets)
    if arena > bound and time_limit_s > 0:
        log.info("greedy %d B, lower bound %d B, asking the solver", arena, bound)
        solution = solve(buffers, distances, equal, offsets, bound, arena, time_limit_s)
        bound = solution.bound_bytes
        if solution.offsets is not None and _arena_bytes(buffers, solution.offsets) < arena:
            offsets, arena = solution.offsets, _arena_bytes(buffers, solution.offsets)
    return Packing(offsets, arena, bound)


def step_bytes(buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap]) -> list[int]:
    """Bytes that must exist at each slot, what overlaps can share taken off: no plan's memories are less together."""
    sums = [0] * max((b.end for b in buffers), default=0)
    for b in buffers:
        for time in range(b.start, b.end):
            sums[time] += align_up(b.nbytes)
    shared: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for o in overlaps:
        target, source = buffers[o.target], buffers[o.source]
        for time in range(max(target.start, source.start), min(target.end, source.end)):
            shared.setdefault((time, o.target), []).append((source.nbytes, o.lead))
    # sources exist before their target, so adding buffers in that order, each target shares with its sources only
    for (time, target_index), sources in shared.items():
        sums[time] -= saved_bytes(buffers[target_index].nbytes, sources)
    return sums


def _arena_bytes(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    return align_up(max((o + b.nbytes for b, o in zip(buffers, offsets, strict=True)), default=0), ARENA_ALIGNMENT)


def _distances(buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap]) -> Distances:
    distances: Distances = [
        {j: align_up(a.nbytes) for j, b in enumerate(buffers) if j != i and a.lives_with(b)}
        for i, a in enumerate(buffers)
    ]
    for o in (o for o in overlaps if not o.in_place):
        distances[o.target][o.source] = min(distances[o.target][o.source], align_up(max(0, o.lead)))
    return distances


def _in_place(overlaps: Sequence[SafeOverlap]) -> Pairs:
    """Both ways round."""
    pairs = [(o.target, o.source) for o in overlaps if o.in_place]
    return frozenset([*pairs, *((b, a) for a, b in pairs)])
