"""plan_memory: the places of all buffers of a schedule, in one memory or in those of a board."""

from __future__ import annotations

from collections.abc import Sequence

from tessera.board import BoardMemory
from tessera.memory.align import ARENA_ALIGNMENT, BUFFER_ALIGNMENT, align_up
from tessera.memory.buffers import make_buffers, make_overlaps
from tessera.memory.heat import byte_accesses
from tessera.memory.pack import Packing, pack, step_bytes
from tessera.memory.plan import Buffer, Memory, MemoryPlan, Place, SafeOverlap
from tessera.memory.spread import Room, Spread, spread
from tessera.memory.verify import verify_plan
from tessera.schedule.schedule import Schedule

__all__ = ["plan_memory", "step_bytes"]

ONE_MEMORY = "arena"
"""Name of the memory where no board says which there are."""

HOT_GROWTH = 32
"""Hot buffers may lie in fast memories where all memories together grow by no more than one part in this many."""


def plan_memory(
    schedule: Schedule,
    *,
    time_limit_s: float = 10.0,
    memories: Sequence[BoardMemory] | None = None,
    hot_first: bool = False,
) -> MemoryPlan:
    """Places every buffer of the schedule: in one memory without limit, or in those of a board. If they are too small,
    everything lies in the largest one, beyond its limit (see fit.py).
    `hot_first`: a few more bytes than one memory would need are well spent on hot buffers in fast memories.

    The same schedule gives the same plan: the solver's limit counts its work, about one unit a second, not the clock.
    """
    buffers = make_buffers(schedule)
    overlaps = make_overlaps(schedule, buffers)
    packing = pack(buffers, overlaps, time_limit_s)
    found, names, bound = Spread((0,) * len(buffers), (packing,)), [ONE_MEMORY], packing.bound_bytes
    if memories is not None:
        rooms = [Room(m.limit_bytes, m.cost) for m in memories]
        names = [m.name for m in memories]
        found = _choose(schedule, buffers, overlaps, rooms, packing, time_limit_s, hot_first)
        if len(set(found.memory)) > 1:
            bound = align_up(max(step_bytes(buffers, overlaps)), ARENA_ALIGNMENT)
    plan = _make_plan(buffers, overlaps, found, names, bound)
    verify_plan(schedule, plan)
    return plan


def _choose(
    schedule: Schedule,
    buffers: Sequence[Buffer],
    overlaps: Sequence[SafeOverlap],
    rooms: Sequence[Room],
    packing: Packing,
    time_limit_s: float,
    hot_first: bool,
) -> Spread:
    """Everything in the first memory, if it fits there. Else spread over all of them, in no more bytes than one memory
    would need, or with `hot_first` a few more."""
    holders = [k for k, room in enumerate(rooms) if packing.nbytes <= room.limit_bytes]
    if len(rooms) > 1 and (holders == [] or holders[0] > 0):
        most = packing.nbytes if holders else sum(room.limit_bytes for room in rooms)
        tries = [(most + most // HOT_GROWTH, True), (most, False)] if holders and hot_first else [(most, False)]
        accesses = byte_accesses(schedule, buffers)
        for nbytes, hot in tries:
            found = spread(buffers, overlaps, rooms, accesses, nbytes, time_limit_s, hot_first=hot)
            if found is not None:
                return found
    only = holders[0] if holders else max(range(len(rooms)), key=lambda k: rooms[k].limit_bytes)
    empty = Packing((), 0, 0)
    packings = tuple(packing if k == only else empty for k in range(len(rooms)))
    return Spread((only,) * len(buffers), packings)


def _make_plan(
    buffers: tuple[Buffer, ...],
    overlaps: tuple[SafeOverlap, ...],
    found: Spread,
    names: Sequence[str],
    bound: int,
) -> MemoryPlan:
    """Memories that hold nothing are left out."""
    used = [k for k, p in enumerate(found.packings) if p.nbytes] or [0]
    offsets = [iter(p.offsets) for p in found.packings]
    places = tuple(Place(used.index(k), next(offsets[k])) for k in found.memory)
    memories = tuple(Memory(names[k], found.packings[k].nbytes) for k in used)
    optimal = found.nbytes == bound
    return MemoryPlan(buffers, overlaps, places, memories, bound, optimal, BUFFER_ALIGNMENT)
