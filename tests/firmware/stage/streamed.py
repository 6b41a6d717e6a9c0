"""Runs schedules on the host and compares every step and every output with the interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from networks import draw_inputs

from tessera.codegen.generate import Sources, generate_c
from tessera.codegen.host import HostRequest, build_host, run_host_batch
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
        ends[memory] = align_up(ends[memory] + buffer.nbytes, 16) + GUARD_BYTES
    sizes = [align_up(end, ARENA_ALIGNMENT) for end in ends]
    names = tuple(Memory(f"RAM_{i}", size) for i, size in enumerate(sizes))
    return MemoryPlan(buffers, (), tuple(places), names, 0, sum(sizes), False)


def sources_of(schedule: Schedule, plan: MemoryPlan, name: str) -> Sources:
    graph = replace(schedule.graph, name=name)
    return generate_c(graph, replace(schedule, graph=graph), plan, None)


def assert_equal(
    planned: Sequence[tuple[Schedule, MemoryPlan]], folder: Path, inputs: int = 1, sanitize: bool = True
) -> None:
    """All in one program: check values of every step, bytes of every output."""
    sources = [sources_of(schedule, plan, f"m_{i}") for i, (schedule, plan) in enumerate(planned)]
    program = build_host(sources, folder, sanitize)
    cases = [(i, seed) for i in range(len(planned)) for seed in range(inputs)]
    arrays = [draw_inputs(planned[i][0].graph, seed) for i, seed in cases]
    runs = run_host_batch(program, [HostRequest(i, a) for (i, _), a in zip(cases, arrays, strict=True)])
    for (i, _), given, answer in zip(cases, arrays, runs, strict=True):
        schedule = planned[i][0]
        graph, values = schedule.graph, interpret(schedule.graph, given)
        steps = iter(answer.step_crcs)
        for number, stage in enumerate(schedule.stages):
            for op in stage.ops:
                for t in graph.ops[op].outputs:
                    value = values[t]
                    assert value is not None
                    expected = expected_check(schedule, number, op, value)
                    assert next(steps) == expected, f"{graph.tensor(t).name} in stage {number}: {stage}"
        assert next(steps, None) is None
        outputs = [values[t] for t in graph.outputs]
        assert answer.outputs == tuple(np.ascontiguousarray(v).tobytes() for v in outputs)
