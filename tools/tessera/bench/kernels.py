"""Instructions of single kernels on a simulated Cortex-M4, per multiply-accumulate or per element, beside their goals.

Models of one operator with random weights, as layers; QEMU counts instructions, which are not cycles.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tessera.codegen.cross import build_cross, run_cross_batch
from tessera.codegen.generate import generate_c
from tessera.codegen.runner import Request
from tessera.ir.attrs import Add, Attrs, Clamp, Conv2D, DepthwiseConv2D, FullyConnected
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.kernels.isa import Isa, KernelSet
from tessera.memory.planner import plan_memory
from tessera.schedule.cost import op_macs
from tessera.schedule.layerwise import make_schedule

FULL: Clamp = (-128, 127)
FAST = KernelSet(Isa.ARMV7E_M)
Builder = Callable[[np.random.Generator], Graph]


@dataclass(frozen=True, slots=True)
class KernelBench:
    """`goal`: instructions per MAC, or per element of the output of an operator without MACs."""

    name: str
    build: Builder
    goal: float


@dataclass(frozen=True, slots=True)
class KernelResult:
    bench: KernelBench
    instructions: int
    units: int  # MACs or elements
    symbol: str

    @property
    def per_unit(self) -> float:
        return self.instructions / self.units


def measure_kernels(benches: Sequence[KernelBench], folder: Path, kernels: KernelSet = FAST) -> list[KernelResult]:
    """Every one as a layer, all in the same program, on random inputs."""
    rng = np.random.default_rng(0)
    graphs = [replace(b.build(rng), name=f"bench_{i}") for i, b in enumerate(benches)]
    sources, symbols = [], []
    for graph in graphs:
        schedule = replace(make_schedule(graph), kernels=kernels)
        made = generate_c(graph, schedule, plan_memory(schedule), None)
        sources.append(made)
        symbols.append(json.loads(made.files["plan.json"])["steps"][0]["kernel"])
    program = build_cross(sources, folder)
    requests = [Request(i, [random_input(rng, g.tensor(t).shape) for t in g.inputs]) for i, g in enumerate(graphs)]
    runs = run_cross_batch(program, requests)
    return [
        KernelResult(bench, sum(run.step_instructions), _units(graph), symbol)
        for bench, graph, run, symbol in zip(benches, graphs, runs, symbols, strict=True)
    ]


def _units(graph: Graph) -> int:
    (op,) = graph.ops
    return op_macs(graph, op) or graph.tensor(op.outputs[0]).size


def conv2d(
    size: int, in_c: int, out_c: int, kernel: int = 1, stride: int = 1, *, zero_point: int = -128, clamp: Clamp = FULL
) -> Builder:
    """A square map. The output's zero point is the lower clamp, as after a ReLU, unless it is given."""
    pad, out = _same(size, kernel, stride)
    attrs = Conv2D((stride, stride), pad, clamp)
    return _weighted(
        attrs, (1, size, size, in_c), (out_c, kernel, kernel, in_c), (1, out, out, out_c), out_c, zero_point
    )


def depthwise_conv2d(size: int, channels: int, kernel: int, stride: int = 1) -> Builder:
    pad, out = _same(size, kernel, stride)
    attrs = DepthwiseConv2D((stride, stride), pad, FULL, 1)
    shape = (1, kernel, kernel, channels)
    return _weighted(attrs, (1, size, size, channels), shape, (1, out, out, channels), channels, -128, axis=3)


def fully_connected(inputs: int, outputs: int) -> Builder:
    return _weighted(FullyConnected(FULL), (1, inputs), (outputs, inputs), (1, outputs), outputs, -5)


def add(size: int, channels: int) -> Builder:
    def build(rng: np.random.Generator) -> Graph:
        del rng
        shape = (1, size, size, channels)
        scales = ((0.021, -3), (0.037, 17), (0.051, -9))
        tensors = tuple(
            Tensor(name, shape, DType.INT8, _quant(scale, zero))
            for name, (scale, zero) in zip("abc", scales, strict=True)
        )
        a, b, c = (TensorId(i) for i in range(3))
        return Graph("bench", tensors, (Op("c", Add(FULL), (a, b), (c,)),), (a, b), (c,))

    return build


def _same(size: int, kernel: int, stride: int) -> tuple[tuple[int, int, int, int], int]:
    """((top, bottom, left, right), output size) of SAME padding."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    before = total // 2
    return (before, total - before, before, total - before), out


def _weighted(
    attrs: Attrs,
    in_shape: tuple[int, ...],
    weights_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    channels: int,
    zero_point: int,
    axis: int = 0,
) -> Builder:
    def build(rng: np.random.Generator) -> Graph:
        depth = int(np.prod(weights_shape)) // channels
        # a bell of weights, and scales that let the output use its range
        weights = np.clip(np.rint(rng.normal(0, 40, weights_shape)), -127, 127).astype(np.int8)
        scales = rng.uniform(0.005, 0.01, channels).astype(np.float32)
        bias = rng.integers(-2000, 2000, channels).astype(np.int32)
        tensors = (
            Tensor("in", in_shape, DType.INT8, _quant(0.05, -128)),
            Tensor("weights", weights_shape, DType.INT8, Quant(scales, 0, axis), weights),
            Tensor("bias", (channels,), DType.INT32, Quant(np.float32(0.05) * scales, 0), bias),
            Tensor("out", out_shape, DType.INT8, _quant(0.05 * 0.0075 * 40 * np.sqrt(depth), zero_point)),
        )
        x, w, b, y = (TensorId(i) for i in range(4))
        return Graph("bench", tensors, (Op("out", attrs, (x, w, b), (y,)),), (x,), (y,))

    return build


def _quant(scale: float, zero_point: int) -> Quant:
    return Quant(np.array([scale], np.float32), zero_point)


def random_input(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.int8]:
    return rng.integers(-128, 128, shape).astype(np.int8)


KERNELS: tuple[KernelBench, ...] = (
    KernelBench("1x1 48x48 16->32", conv2d(48, 16, 32), 1.30),
    KernelBench("1x1 24x24 32->64", conv2d(24, 32, 64), 1.02),
    KernelBench("1x1 6x6 128->128", conv2d(6, 128, 128), 0.85),
    KernelBench("1x1 10x10 144->24, no ReLU", conv2d(10, 144, 24, zero_point=3), 0.85),
    KernelBench("1x1 24x24 32->64, ReLU of zero point 8", conv2d(24, 32, 64, zero_point=8, clamp=(8, 127)), 1.05),
    KernelBench("conv 3x3 16x16 32->32", conv2d(16, 32, 32, 3), 0.85),
    KernelBench("conv 3x3 80x80 3->16, stride 2", conv2d(80, 3, 16, 3, 2), 1.25),
    KernelBench("conv 3x3 96x96 1->8, stride 2", conv2d(96, 1, 8, 3, 2), 2.6),
    KernelBench("depthwise 3x3 24x24x64", depthwise_conv2d(24, 64, 3), 2.0),
    KernelBench("depthwise 3x3 24x24x64, stride 2", depthwise_conv2d(24, 64, 3, 2), 2.8),
    KernelBench("depthwise 5x5 10x10x120", depthwise_conv2d(10, 120, 5), 1.5),
    KernelBench("depthwise 7x7 5x5x240", depthwise_conv2d(5, 240, 7), 1.5),
    KernelBench("fully connected 640->128", fully_connected(640, 128), 1.1),
    KernelBench("add 24x24x16", add(24, 16), 12.0),
)
