"""Whole models with Armv7E-M kernels and the planner's overlaps, in QEMU: every step against the interpreter.

In layers, with fast kernels; streamed with fast ones in little more memory than there must be; and streamed with lean
ones in the least, where blocks are rewritten. All step for step, two inputs each.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from on_cross import LEAN
from on_host import array_bytes, assert_answers
from shared_files import shared_model_names
from tessera.codegen.cross import build_cross, run_cross_batch
from tessera.codegen.generate import generate_c
from tessera.codegen.runner import Request
from tessera.frontend.tflite import load_tflite
from tessera.interpreter import run as interpret
from tessera.ir.graph import Graph
from tessera.kernels.isa import Isa
from tessera.models import find_model
from tessera.oracle.inputs import test_inputs as draw_inputs
from tessera.pipeline import Edges, simplify
from tessera.schedule.find import Found, find_schedule
from tessera.schedule.options import DEFAULT, ScheduleOptions
from tessera.schedule.schedule import InputMode

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed"),
]

LARGE = ("imagenet_mcunetv2_large", "mbv2_035_224", "mbv2_100_224")  # beginnings of names: searches take minutes
LEAST = ScheduleOptions(InputMode.STREAMED, max_macs=1.05)
MORE = 1.25  # times the least memory


@pytest.mark.parametrize("name", shared_model_names())
def test_layers(name: str, shared_models: Path, tmp_path: Path) -> None:
    graph = load(shared_models / name)
    run(graph, find(graph, DEFAULT, None), tmp_path)


@pytest.mark.parametrize("name", [name for name in shared_model_names() if not name.startswith(LARGE)])
def test_streamed(name: str, shared_models: Path, tmp_path: Path) -> None:
    graph = load(shared_models / name)
    least = find(graph, LEAST, None)
    assert least.schedule.kernels == LEAN
    run(graph, least, tmp_path / "least")
    limit = int(MORE * least.needed_bytes)
    within = find(graph, ScheduleOptions(InputMode.STREAMED, sram_bytes=limit), limit)
    assert within.plan.arena_bytes <= limit
    run(graph, within, tmp_path / "within")


def load(path: Path) -> Graph:
    return simplify(load_tflite(find_model(str(path)).read(), name=path.stem), Edges.INT8)


def find(graph: Graph, options: ScheduleOptions, limit_bytes: int | None) -> Found:
    return find_schedule(graph, options, limit_bytes, isa=Isa.ARMV7E_M, time_limit_s=1)


def run(graph: Graph, found: Found, folder: Path) -> None:
    schedule = found.schedule
    program = build_cross(generate_c(schedule.graph, schedule, found.plan, None), folder)
    inputs = draw_inputs(graph, 2, 3)
    runs = run_cross_batch(program, [Request(0, arrays) for arrays in inputs])
    for arrays, answer in zip(inputs, runs, strict=True):
        assert_answers(schedule, arrays, answer)
        before = interpret(graph, arrays)
        assert answer.outputs == tuple(array_bytes(before[t]) for t in graph.outputs)
