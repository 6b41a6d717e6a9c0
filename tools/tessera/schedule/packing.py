"""Stages side by side may need more than either alone, because a map cannot move between the stage that writes it and
the stage that reads it. The search knows each stage by itself; here a path is packed, stages that do not go together
are charged what they need together, and the path is looked for again.

(Two residual blocks in a row are the usual case: each output slides a little below its input, so that over both blocks
the arena moves by both slides.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tessera.memory.buffers import make_buffers, make_overlaps
from tessera.memory.pack import pack
from tessera.memory.plan import Buffer, SafeOverlap
from tessera.schedule.paths import Point, by_macs_then_bytes, least_bytes
from tessera.schedule.schedule import Schedule
from tessera.schedule.search import Search, schedule_of
from tessera.schedule.slots import stage_slots
from tessera.schedule.space import Edge, Space

ROUNDS = 6
LONGEST = 4
"""Stages in a row that are packed together."""
SLACK_BYTES = 16
"""A plan's size is a multiple."""
WORK_S = 0.5
"""Of the solver, for a few stages; its unit is work, not the clock."""


def least_packed(search: Search, point: Point, most_macs: int) -> Point:
    """The point that needs the least memory once packed, among those that the charges lead to."""
    space, best = search.space, (1 << 62, point)
    for _ in range(ROUNDS):
        schedule = schedule_of(space, point)
        buffers = make_buffers(schedule)
        overlaps = make_overlaps(schedule, buffers)
        nbytes = pack(buffers, overlaps, 0.0).nbytes
        if nbytes > point.bytes + SLACK_BYTES:
            nbytes = pack(buffers, overlaps, 2 * WORK_S).nbytes
        best = min(best, (nbytes, point), key=lambda b: b[0])
        if nbytes <= point.bytes + SLACK_BYTES:
            break
        space = _charged(space, _charges(schedule, point, buffers, overlaps))
        following = least_bytes(space, most_macs, by_macs_then_bytes)
        if following is None or following.bytes >= best[0]:
            break
        point = following
    return best[1]


def _charges(
    schedule: Schedule, point: Point, buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap]
) -> dict[int, int]:
    """Edges (by identity) of the shortest runs of stages that do not fit together, and what such a run needs."""
    slots, charges = stage_slots(schedule), dict[int, int]()
    for length in range(2, LONGEST + 1):
        for first in range(len(slots) - length + 1):
            begin, end = slots[first][0], slots[first + length - 1][1]
            needed = _packed_bytes(buffers, overlaps, begin, end)
            if needed > point.bytes + SLACK_BYTES:
                for e in point.edges[first : first + length]:
                    charges[id(e)] = max(needed, charges.get(id(e), 0))
        if charges:
            break
    return charges


def _packed_bytes(buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap], begin: int, end: int) -> int:
    """What the buffers alive during slots [begin, end) need, for that time."""
    alive = [k for k, b in enumerate(buffers) if b.start < end and begin < b.end]
    number = {k: n for n, k in enumerate(alive)}
    some = [
        replace(o, target=number[o.target], source=number[o.source])
        for o in overlaps
        if o.target in number and o.source in number
    ]
    cut = [replace(buffers[k], start=max(begin, buffers[k].start), end=min(end, buffers[k].end)) for k in alive]
    return pack(cut, some, WORK_S).nbytes


def _charged(space: Space, charges: dict[int, int]) -> Space:
    def charge(e: Edge) -> Edge:
        return replace(e, bytes=max(e.bytes, charges[id(e)])) if id(e) in charges else e

    return replace(space, edges=tuple(charge(e) for e in space.edges))
