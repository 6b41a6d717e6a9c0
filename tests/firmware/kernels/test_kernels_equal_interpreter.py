"""Every operator: generated C on the host, under ASan and UBSan, against the interpreter (which is equal to LiteRT).

Every other case has a plan with guards between the buffers instead of the planner's, so that a kernel that reads or
writes beside its operands is caught. Two of three cases run as streamed stages where they can, in spans of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from on_host import array_bytes, assert_answers, guarded_plan
from single_op import GENERATORS, draw_case
from tessera.codegen.generate import Sources, generate_c
from tessera.codegen.host import build_host, run_host_batch
from tessera.codegen.runner import Request
from tessera.errors import UnsupportedModel
from tessera.frontend.tflite import load_tflite
from tessera.interpreter import run as interpret
from tessera.ir.graph import Graph
from tessera.memory.planner import plan_memory
from tessera.passes import EDGES_FLOAT_PASSES, run_passes
from tessera.schedule.build import build_stage
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.net import make_net
from tessera.schedule.region import FULL, Limits, Tile, stages_ending_at
from tessera.schedule.schedule import InputMode, Schedule
from tessera.schedule.verify import verify_schedule

CASES_PER_COMPILED = 3  # of the --cases that the interpreter runs, C compiles one in so many
TILES = {1: Tile(1, FULL), 2: Tile(2, 2)}  # by seed % 3


@dataclass(frozen=True)
class Compiled:
    loaded: Graph
    schedule: Schedule
    sources: Sources
    inputs: list[NDArray[Any]]


def compile_case(kind: str, seed: int) -> Compiled | None:
    """None where the kernels refuse: uint8 beside float32."""
    model, inputs = draw_case(kind, seed)
    loaded = load_tflite(model, name=f"{kind}_{seed}".lower())
    graph = run_passes(loaded, EDGES_FLOAT_PASSES)
    schedule = streamed_where_possible(make_schedule(graph), TILES.get(seed % 3))
    plan = guarded_plan(schedule) if seed % 2 else plan_memory(schedule)
    try:
        sources = generate_c(graph, schedule, plan, None)
    except UnsupportedModel:
        assert kind in ("QUANTIZE", "DEQUANTIZE")
        return None
    return Compiled(loaded, schedule, sources, list(inputs))


def streamed_where_possible(layers: Schedule, tile: Tile | None) -> Schedule:
    """Every operator that can as a stage of its own."""
    if tile is None:
        return layers
    net = make_net(layers.graph, tuple(i for stage in layers.stages for i in stage.ops), InputMode.RESIDENT)
    stages = list(layers.stages)
    for i in range(len(stages)):
        for _, cost in stages_ending_at(net, i, tile, Limits(1 << 30, 0), start=i):
            stages[i] = build_stage(net, i, i, cost)
    schedule = Schedule(layers.graph, tuple(stages))
    verify_schedule(schedule)
    return schedule


@pytest.mark.parametrize("kind", GENERATORS)
def test_operator(kind: str, cases: int, tmp_path: Path) -> None:
    seeds = range(max(6, cases // CASES_PER_COMPILED))
    compiled = [c for c in (compile_case(kind, seed) for seed in seeds) if c is not None]
    assert len(compiled) >= len(seeds) // 2
    program = build_host([c.sources for c in compiled], tmp_path)
    runs = run_host_batch(program, [Request(i, c.inputs) for i, c in enumerate(compiled)])
    for c, answer in zip(compiled, runs, strict=True):
        assert_answers(c.schedule, c.inputs, answer)
        expected = interpret(c.loaded, c.inputs)
        assert answer.outputs == tuple(array_bytes(expected[t]) for t in c.loaded.outputs), c.sources.name
