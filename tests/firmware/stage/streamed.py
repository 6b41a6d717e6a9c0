"""Runs schedules on the host, many in one program, and compares every step and every output with the interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from networks import draw_inputs

from on_host import assert_answers
from tessera.codegen.generate import Sources, generate_c
from tessera.codegen.host import build_host, run_host_batch
from tessera.codegen.runner import Request
from tessera.memory.plan import MemoryPlan
from tessera.schedule.schedule import Schedule


def sources_of(schedule: Schedule, plan: MemoryPlan, name: str) -> Sources:
    graph = replace(schedule.graph, name=name)
    return generate_c(graph, replace(schedule, graph=graph), plan, None)


def assert_equal(planned: Sequence[tuple[Schedule, MemoryPlan]], folder: Path, inputs: int = 1) -> None:
    sources = [sources_of(schedule, plan, f"m_{i}") for i, (schedule, plan) in enumerate(planned)]
    program = build_host(sources, folder)
    cases = [(i, seed) for i in range(len(planned)) for seed in range(inputs)]
    arrays = [draw_inputs(planned[i][0].graph, seed) for i, seed in cases]
    runs = run_host_batch(program, [Request(i, a) for (i, _), a in zip(cases, arrays, strict=True)])
    for (i, _), given, answer in zip(cases, arrays, runs, strict=True):
        assert_answers(planned[i][0], given, answer)
