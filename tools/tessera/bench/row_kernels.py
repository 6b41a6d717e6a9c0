"""Instructions of the assembly inside a depthwise layer, which reads rows that were widened before: the layer's other
work, widening rows and weights, is counted apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tessera.bench.kernels import FAST, KernelBench, depthwise_conv2d, random_input
from tessera.board import load_board
from tessera.codegen.generate import generate_c
from tessera.firmware.build import build_firmware
from tessera.kernels.select import select_kernels
from tessera.memory.planner import plan_memory
from tessera.pipeline import write_sources
from tessera.profile.profile import make_profile
from tessera.profile.trace import trace
from tessera.schedule.layerwise import make_schedule

BOARD = "qemu-m4"
ROWS = "tess_depthwise_row"
"""What the functions' names begin with."""


@dataclass(frozen=True, slots=True)
class RowResult:
    bench: KernelBench  # its goal is that of the assembly
    per_mac: float


ROW_KERNELS: tuple[KernelBench, ...] = (
    KernelBench("depthwise 3x3 24x24x64", depthwise_conv2d(24, 64, 3), 1.8),
    KernelBench("depthwise 3x3 24x24x64, stride 2", depthwise_conv2d(24, 64, 3, 2), 2.0),
    KernelBench("depthwise 5x5 10x10x120", depthwise_conv2d(10, 120, 5), 1.35),
    KernelBench("depthwise 7x7 5x5x240", depthwise_conv2d(5, 240, 7), 1.25),
)


def measure_row_kernels(benches: Sequence[KernelBench], folder: Path) -> list[RowResult]:
    """Each in a firmware of its own, by the profiler."""
    return [RowResult(bench, _measure(bench, folder / f"rows_{i}")) for i, bench in enumerate(benches)]


def _measure(bench: KernelBench, folder: Path) -> float:
    rng = np.random.default_rng(0)
    graph = replace(bench.build(rng), name=folder.name)
    schedule = replace(make_schedule(graph), kernels=FAST)
    steps = select_kernels(graph, schedule)
    write_sources(generate_c(graph, schedule, plan_memory(schedule), BOARD), folder)
    image = build_firmware(BOARD, folder)
    inputs = [random_input(rng, graph.tensor(t).shape).tobytes() for t in graph.inputs]
    (step,) = make_profile(trace(load_board(BOARD), image.elf, inputs), steps).steps
    rows = sum(tally.instructions for name, tally in step.part.functions if name.startswith(ROWS))
    assert rows, f"{bench.name} runs {step.kernel}, which has no kernel of rows"
    return rows / step.macs
