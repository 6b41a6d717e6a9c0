"""Offsets by CP-SAT: exact, given enough work. OR-tools is imported only when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.memory.align import ARENA_ALIGNMENT, BUFFER_ALIGNMENT, align_up
from tessera.memory.greedy import Distances, Pairs
from tessera.memory.plan import Buffer

UNIT = BUFFER_ALIGNMENT  # the solver counts in words
ARENA_UNITS = ARENA_ALIGNMENT // UNIT


@dataclass(frozen=True, slots=True)
class Solution:
    offsets: tuple[int, ...] | None  # None: nothing better than the hint was found
    bound_bytes: int  # no plan's arena is less


def solve(
    buffers: Sequence[Buffer],
    distances: Distances,
    equal: Pairs,
    hint: Sequence[int],
    lower_bytes: int,
    upper_bytes: int,
    time_limit_s: float,
) -> Solution:
    """Looks for an arena of at least `lower_bytes`, less than `upper_bytes` (the hint's).

    One worker, a fixed seed and a limit on work instead of the clock: the same input gives the same offsets.
    """
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    arena = model.new_int_var(lower_bytes // ARENA_ALIGNMENT, upper_bytes // ARENA_ALIGNMENT, "arena")
    offsets = [model.new_int_var(0, (upper_bytes - b.nbytes) // UNIT, b.name) for b in buffers]
    for i, b in enumerate(buffers):
        model.add(offsets[i] + align_up(b.nbytes) // UNIT <= arena * ARENA_UNITS)
        model.add_hint(offsets[i], hint[i] // UNIT)
        for j in (j for j in distances[i] if j > i):
            first = model.new_bool_var(f"{i} below {j}")
            model.add(offsets[i] + distances[i][j] // UNIT <= offsets[j]).only_enforce_if(first)
            model.add_hint(first, hint[i] + distances[i][j] <= hint[j])
            otherwise = [~first]
            if (i, j) in equal:
                same = model.new_bool_var(f"{i} at {j}")
                model.add(offsets[i] == offsets[j]).only_enforce_if([same, ~first])
                model.add_hint(same, hint[i] == hint[j])
                otherwise.append(~same)
            model.add(offsets[j] + distances[j][i] // UNIT <= offsets[i]).only_enforce_if(otherwise)
    model.add_hint(arena, upper_bytes // ARENA_ALIGNMENT)
    model.minimize(arena)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = time_limit_s
    status = solver.solve(model)
    bound = max(lower_bytes, round(solver.best_objective_bound) * ARENA_ALIGNMENT)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Solution(None, min(bound, upper_bytes))
    return Solution(tuple(solver.value(o) * UNIT for o in offsets), bound)
