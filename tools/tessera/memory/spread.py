"""Which buffer lies in which memory of a board.

The question is asked without offsets first: in each memory, what lives together must fit, what safe overlaps share
taken off where both lie in it. Least bytes of all memories together come first, then hot buffers in fast memories
(accesses times the cost of one), or the other way round within a limit. Offsets are then found in each memory as if it
were the only one. Where they need more than that sum, the question is asked again with the difference as slack.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tessera.memory.align import ARENA_ALIGNMENT, BUFFER_ALIGNMENT, align_up
from tessera.memory.overlap import saved_bytes
from tessera.memory.pack import Packing, pack, step_bytes
from tessera.memory.plan import Buffer, SafeOverlap

log = logging.getLogger(__name__)

UNIT = BUFFER_ALIGNMENT  # the solver counts in words
TRIES = 4
PARTS = 1 << 16
"""All accesses together are counted in this many parts."""


@dataclass(frozen=True, slots=True)
class Room:
    """Of a memory: what buffers may take, and what an access costs."""

    limit_bytes: int
    cost: int


@dataclass(frozen=True, slots=True)
class Spread:
    """`memory[i]` is that of buffer i; the packing of a memory has the offsets of its buffers, in their order."""

    memory: tuple[int, ...]
    packings: tuple[Packing, ...]

    @property
    def nbytes(self) -> int:
        return sum(p.nbytes for p in self.packings)


def spread(
    buffers: Sequence[Buffer],
    overlaps: Sequence[SafeOverlap],
    rooms: Sequence[Room],
    accesses: Sequence[int],
    most_bytes: int,
    time_limit_s: float,
    *,
    hot_first: bool = False,
) -> Spread | None:
    """At most `most_bytes` in all; None: nothing was found that fits. `hot_first`: where hot buffers lie matters more
    than how many bytes all memories take."""
    slack = [0] * len(rooms)
    for _ in range(TRIES):
        memory = _assign(buffers, overlaps, rooms, slack, accesses, most_bytes, time_limit_s, hot_first)
        if memory is None:
            return None
        packings: list[Packing] = []
        for k in range(len(rooms)):
            inside, between = _inside(buffers, overlaps, memory, k)
            packings.append(pack(inside, between, time_limit_s / len(rooms)))
            need = align_up(max(step_bytes(inside, between), default=0), ARENA_ALIGNMENT)
            slack[k] = max(slack[k], packings[k].nbytes - need)
        found = Spread(memory, tuple(packings))
        if found.nbytes <= most_bytes and all(
            p.nbytes <= room.limit_bytes for p, room in zip(packings, rooms, strict=True)
        ):
            return found
        log.info("buffers in %d memories need %s B more than their sums", len(rooms), slack)
    return None


def _inside(
    buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap], memory: Sequence[int], k: int
) -> tuple[list[Buffer], list[SafeOverlap]]:
    """The buffers of one memory, and the overlaps between them."""
    ids = [i for i, at in enumerate(memory) if at == k]
    number = {i: n for n, i in enumerate(ids)}
    between = [
        replace(o, target=number[o.target], source=number[o.source])
        for o in overlaps
        if o.target in number and o.source in number
    ]
    return [buffers[i] for i in ids], between


def _assign(
    buffers: Sequence[Buffer],
    overlaps: Sequence[SafeOverlap],
    rooms: Sequence[Room],
    slack: Sequence[int],
    accesses: Sequence[int],
    most_bytes: int,
    time_limit_s: float,
    hot_first: bool,
) -> tuple[int, ...] | None:
    """A memory for each buffer; None where the memories are too small or the work was not enough."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    paragraph = ARENA_ALIGNMENT // UNIT
    sizes = [model.new_int_var(0, room.limit_bytes // ARENA_ALIGNMENT, f"memory {k}") for k, room in enumerate(rooms)]
    inside = [[model.new_bool_var(f"{b.name} in {k}") for k in range(len(rooms))] for b in buffers]
    for choices in inside:
        model.add_exactly_one(choices)
    for k in range(len(rooms)):
        shared = _shared(model, buffers, overlaps, inside, k)
        for time in _busy_slots(buffers):
            alive = [i for i, b in enumerate(buffers) if b.start <= time < b.end]
            need = sum(align_up(buffers[i].nbytes) // UNIT * inside[i][k] for i in alive)
            need -= sum(saved for (begin, end), saved in shared if begin <= time < end)
            used = align_up(slack[k], ARENA_ALIGNMENT) // UNIT
            model.add(need + used <= sizes[k] * paragraph)
    model.add(sum(sizes) <= most_bytes // ARENA_ALIGNMENT)
    most = max(1, sum(accesses)) * max(room.cost for room in rooms)
    costs = [
        accesses[i] * room.cost * PARTS // most * inside[i][k]
        for i in range(len(buffers))
        for k, room in enumerate(rooms)
    ]
    paragraphs = max(1, most_bytes // ARENA_ALIGNMENT)
    model.minimize(sum(sizes) + sum(costs) * paragraphs * 2 if hot_first else sum(sizes) * PARTS * 2 + sum(costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = max(time_limit_s, 1.0)
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return tuple(next(k for k, var in enumerate(choices) if solver.value(var)) for choices in inside)


def _shared(
    model: Any, buffers: Sequence[Buffer], overlaps: Sequence[SafeOverlap], inside: Sequence[Sequence[Any]], k: int
) -> list[tuple[tuple[int, int], Any]]:
    """For each overlapped target, from when to when it shares, and how many words if all lie in memory k."""
    pairs: dict[int, list[SafeOverlap]] = {}
    for o in overlaps:
        pairs.setdefault(o.target, []).append(o)
    shared = []
    for target, group in pairs.items():
        start = max(buffers[target].start, min(buffers[o.source].start for o in group))
        end = min(buffers[target].end, max(buffers[o.source].end for o in group))
        most = saved_bytes(buffers[target].nbytes, [(buffers[o.source].nbytes, o.lead) for o in group]) // UNIT
        words = model.new_int_var(0, most, f"{target} shares in {k}")
        model.add(words <= most * inside[target][k])
        each = [saved_bytes(buffers[target].nbytes, [(buffers[o.source].nbytes, o.lead)]) // UNIT for o in group]
        model.add(words <= sum(n * inside[o.source][k] for n, o in zip(each, group, strict=True)))
        shared.append(((start, end), words))
    return shared


def _busy_slots(buffers: Sequence[Buffer]) -> list[int]:
    """Slots at which something is alive that is not all alive at another one kept."""
    kept: list[tuple[int, frozenset[int]]] = []
    for time in range(max((b.end for b in buffers), default=0)):
        alive = frozenset(i for i, b in enumerate(buffers) if b.start <= time < b.end)
        if kept and kept[-1][1] <= alive:
            kept[-1] = (time, alive)
        elif not (kept and alive <= kept[-1][1]):
            kept.append((time, alive))
    return [time for time, _ in kept]
