"""Every operator: generated C on the host, under ASan and UBSan, against the interpreter (which is equal to LiteRT).

Every other case has a plan with guards between the buffers instead of the planner's, so that a kernel that reads or
writes beside its operands is caught.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from single_op import GENERATORS, draw_case
from tessera.codegen.generate import Sources, generate_c
from tessera.codegen.host import HostRequest, build_host, run_host_batch
from tessera.errors import UnsupportedModel
from tessera.frontend.tflite import load_tflite
from tessera.interpreter import run as interpret
from tessera.ir.graph import Graph
from tessera.kernels.call import Step
from tessera.kernels.select import select_kernels
from tessera.memory.align import align_up
from tessera.memory.buffers import make_buffers
from tessera.memory.plan import Memory, MemoryPlan, Place
from tessera.memory.planner import plan_memory
from tessera.passes import EDGES_FLOAT_PASSES, run_passes
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.schedule import Schedule

GUARD_BYTES = 32
CASES_PER_COMPILED = 3  # of the --cases that the interpreter runs, C compiles one in so many


@dataclass(frozen=True)
class Compiled:
    loaded: Graph
    graph: Graph
    calls: tuple[Step, ...]
    sources: Sources
    inputs: list[NDArray[Any]]


def guarded_plan(schedule: Schedule) -> MemoryPlan:
    """Every buffer for itself, with a guard before and behind it."""
    buffers, places, at = make_buffers(schedule), [], GUARD_BYTES
    for buffer in buffers:
        places.append(Place(0, at))
        at = align_up(at + buffer.nbytes, 16) + GUARD_BYTES
    arena = align_up(at, 16)
    return MemoryPlan(buffers, (), tuple(places), (Memory("arena", arena),), 0, arena, False)


def compile_case(kind: str, seed: int) -> Compiled | None:
    """None where the kernels refuse: uint8 beside float32."""
    model, inputs = draw_case(kind, seed)
    loaded = load_tflite(model, name=f"{kind}_{seed}".lower())
    graph = run_passes(loaded, EDGES_FLOAT_PASSES)
    schedule = make_schedule(graph)
    try:
        calls = select_kernels(graph, schedule)
    except UnsupportedModel:
        assert kind in ("QUANTIZE", "DEQUANTIZE")
        return None
    plan = guarded_plan(schedule) if seed % 2 else plan_memory(schedule)
    return Compiled(loaded, graph, calls, generate_c(graph, schedule, plan, None), list(inputs))


@pytest.mark.parametrize("kind", GENERATORS)
def test_operator(kind: str, cases: int, tmp_path: Path) -> None:
    seeds = range(max(4, cases // CASES_PER_COMPILED))
    compiled = [c for c in (compile_case(kind, seed) for seed in seeds) if c is not None]
    assert len(compiled) >= len(seeds) // 2
    program = build_host([c.sources for c in compiled], tmp_path)
    runs = run_host_batch(program, [HostRequest(i, c.inputs) for i, c in enumerate(compiled)])
    for c, answer in zip(compiled, runs, strict=True):
        values, expected = interpret(c.graph, c.inputs), interpret(c.loaded, c.inputs)
        for call, crc in zip(c.calls, answer.step_crcs, strict=True):
            assert crc == zlib.crc32(_bytes(values[call.output])), f"{c.sources.name}: {call.symbol}"
        assert answer.outputs == tuple(_bytes(expected[t]) for t in c.loaded.outputs), c.sources.name


def _bytes(value: NDArray[Any] | None) -> bytes:
    assert value is not None
    return np.ascontiguousarray(value).tobytes()
