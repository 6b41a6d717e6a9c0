"""Models of one operator with Armv7E-M kernels, run in QEMU against the interpreter (which is equal to LiteRT)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from on_host import assert_answers, guarded_plan
from tessera.codegen.cross import build_cross, run_cross_batch
from tessera.codegen.generate import Sources, generate_c
from tessera.codegen.runner import Request, Run
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import Graph
from tessera.kernels.isa import Isa, KernelSet
from tessera.memory.planner import plan_memory
from tessera.passes import PASSES, run_passes
from tessera.schedule.build import build_stage
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.net import make_net
from tessera.schedule.region import Limits, Tile, stages_ending_at
from tessera.schedule.schedule import InputMode, Schedule
from tessera.schedule.verify import verify_schedule

FAST, LEAN = KernelSet(Isa.ARMV7E_M, fast=True), KernelSet(Isa.ARMV7E_M, fast=False)


@dataclass(frozen=True)
class CrossCase:
    schedule: Schedule
    sources: Sources
    inputs: Sequence[NDArray[Any]]


def cross_case(
    name: str, model: bytes, inputs: Sequence[NDArray[Any]], kernels: KernelSet, tile: Tile | None, *, guarded: bool
) -> CrossCase:
    """A .tflite file, see `graph_case`."""
    graph = run_passes(load_tflite(model, name=name), PASSES)
    return graph_case(graph, inputs, kernels, tile, guarded=guarded)


def graph_case(
    graph: Graph, inputs: Sequence[NDArray[Any]], kernels: KernelSet, tile: Tile | None, *, guarded: bool
) -> CrossCase:
    """`tile`: every operator that can as a stage of its own, which advances by so many rows and columns. `guarded`: a
    plan with guards around every buffer instead of the planner's, which overlaps them."""
    layers = replace(make_schedule(graph), kernels=kernels)
    schedule = layers if tile is None else streamed(layers, tile)
    plan = guarded_plan(schedule) if guarded else plan_memory(schedule)
    return CrossCase(schedule, generate_c(graph, schedule, plan, None), inputs)


def streamed(layers: Schedule, tile: Tile) -> Schedule:
    graph: Graph = layers.graph
    order = tuple(i for stage in layers.stages for i in stage.ops)
    net = make_net(graph, order, InputMode.RESIDENT, layers.kernels)
    stages = list(layers.stages)
    for i in range(len(stages)):
        for _, cost in stages_ending_at(net, i, tile, Limits(1 << 30, 0), start=i):
            stages[i] = build_stage(net, i, i, cost)
    schedule = replace(layers, stages=tuple(stages))
    verify_schedule(schedule)
    return schedule


def run_cross_cases(cases: Sequence[CrossCase], folder: Path) -> list[Run]:
    """All of them in one program; asserts that every step and output is what the interpreter says."""
    program = build_cross([case.sources for case in cases], folder)
    runs = run_cross_batch(program, [Request(i, case.inputs) for i, case in enumerate(cases)])
    for case, run in zip(cases, runs, strict=True):
        assert_answers(case.schedule, case.inputs, run)
    return runs
