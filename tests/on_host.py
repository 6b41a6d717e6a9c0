"""Schedules on the host: plans with guards around every buffer, and what a run must answer, by the interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.codegen.runner import Run
from tessera.interpreter import run as interpret
from tessera.memory.align import ARENA_ALIGNMENT, align_up
from tessera.memory.buffers import make_buffers
from tessera.memory.plan import Memory, MemoryPlan, Place
from tessera.schedule.check import expected_check
from tessera.schedule.schedule import Schedule

GUARD_BYTES = 32


def guarded_plan(schedule: Schedule, memories: int = 1) -> MemoryPlan:
    """Every buffer for itself, with a guard before and behind it; buffers take turns among the memories."""
    buffers = make_buffers(schedule)
    ends = [GUARD_BYTES] * memories
    places: list[Place] = []
    for i, buffer in enumerate(buffers):
        memory = i % memories
        places.append(Place(memory, ends[memory]))
        ends[memory] = align_up(ends[memory] + buffer.nbytes, ARENA_ALIGNMENT) + GUARD_BYTES
    sizes = [align_up(end, ARENA_ALIGNMENT) for end in ends]
    named = tuple(Memory(f"RAM_{i}", size) for i, size in enumerate(sizes))
    return MemoryPlan(buffers, (), tuple(places), named, sum(sizes), False)


def assert_answers(schedule: Schedule, inputs: Sequence[NDArray[Any]], answer: Run) -> None:
    """Check values of all steps, bytes of all outputs."""
    graph, values = schedule.graph, interpret(schedule.graph, inputs)
    steps = iter(answer.step_checks)
    for number, stage in enumerate(schedule.stages):
        for op in stage.ops:
            for t in graph.ops[op].outputs:
                value = values[t]
                assert value is not None
                expected = expected_check(schedule, number, op, value)
                assert next(steps) == expected, f"{graph.name}: {graph.tensor(t).name} in stage {number}: {stage}"
    assert next(steps, None) is None
    assert answer.outputs == tuple(array_bytes(values[t]) for t in graph.outputs)


def array_bytes(value: NDArray[Any] | None) -> bytes:
    assert value is not None
    return np.ascontiguousarray(value).tobytes()
