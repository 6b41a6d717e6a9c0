"""Operators at the edges of what each Armv7E-M kernel can hold, in QEMU against the interpreter.

Biases put the greatest or the least sum of a channel next to a limit: of the sums themselves, or of what requantization
makes of them. The input holds, for each channel, the window that gives its greatest sum and the one that gives its
least, so that a kernel which is picked one step too far computes something else.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from on_cross import FAST, LEAN, CrossCase, graph_case, run_cross_cases
from tessera.errors import UnsupportedModel
from tessera.ir import attrs as ir
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.kernels.isa import KernelSet
from tessera.kernels.select import select_kernels
from tessera.schedule.region import FULL, Tile

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]
CLAMPS = ((-128, 127), (-128, 127), (-127, 127), (-128, 60), (-60, 127), (100, 127), (-128, -100))
LIMITS = {False: (24, 24, 24, 32), True: (31, 32)}  # bits of sums; True: of depthwise convolutions
PAIRS = (1, 16, 16, 256)
TILES = (None, None, Tile(1, FULL), Tile(1, 3))


@dataclass(frozen=True)
class Weighted:
    """Weights [channels, height, width, depth] of the windows that a channel sees, less their zero point."""

    weights: Ints
    attrs: Callable[[ir.Clamp], ir.Attrs]
    depthwise: bool = False
    zero_point: int = 0

    @property
    def rows(self) -> Ints:
        return self.weights.reshape(len(self.weights), -1)

    def stored(self) -> Ints:
        """As the operator has them."""
        stored = self.weights + self.zero_point
        if self.depthwise:
            return np.moveaxis(stored, 0, 3).reshape(1, *stored.shape[1:3], -1)
        return stored.reshape(len(stored), -1) if isinstance(self.attrs((0, 0)), ir.FullyConnected) else stored

    def extremes(self) -> NDArray[np.int8]:
        """The windows of greatest and least sums beside each other: a map, or rows."""
        windows = [np.where(w * sign > 0, 127, -128) for w in self.weights for sign in (1, -1)]
        if self.depthwise:
            windows = [np.concatenate(windows[side::2], axis=2) for side in (0, 1)]
        if isinstance(self.attrs((0, 0)), ir.FullyConnected):
            return np.stack(windows).reshape(1, 1, len(windows), -1).astype(np.int8)
        return np.concatenate(windows, axis=1)[None].astype(np.int8)


def draw_weighted(rng: np.random.Generator) -> Weighted:
    kind = rng.choice(["conv", "conv", "rgb", "pointwise", "depthwise", "depthwise", "fully connected"])
    depth, channels = int(rng.choice([1, 2, 3, 5, 8, 17])), int(rng.choice([1, 2, 3, 4, 5, 8, 11]))
    kernel = tuple(int(k) for k in rng.choice([[1, 2], [2, 2], [3, 3], [5, 5], [4, 1]]))
    match kind:
        case "rgb":
            shape, depth = (3, 3), 3
        case "depthwise":
            shape, depth = kernel if rng.integers(3) == 0 else (3, 3), 1
        case "conv":
            shape = kernel
        case _:
            shape, depth = (1, 1), int(rng.choice([1, 2, 3, 5, 40, 127, 129, 150, 257, 258, 508, 516, 517, 530]))
    weights = rng.integers(-127, 128, (channels, *shape, depth))
    if rng.integers(3) == 0:  # of one sign, as large as can be
        weights = np.where(rng.integers(0, 2, (channels, 1, 1, 1)), 127, -127) * np.ones_like(weights)
    if rng.integers(6) == 0:  # beside a negative one it has no words
        weights.reshape(-1)[rng.integers(weights.size)] = -128
    zero_point = int(rng.choice([-128, -20, 3, 127])) if rng.integers(5) == 0 else 0
    return Weighted(weights - zero_point, window_attrs(str(kind)), kind == "depthwise", zero_point)


def window_attrs(kind: str) -> Callable[[ir.Clamp], ir.Attrs]:
    match kind:
        case "depthwise":
            return lambda clamp: ir.DepthwiseConv2D((1, 1), (0, 0, 0, 0), clamp, 1)
        case "fully connected":
            return ir.FullyConnected
        case _:
            return lambda clamp: ir.Conv2D((1, 1), (0, 0, 0, 0), clamp)


def edge_graph(name: str, rng: np.random.Generator) -> tuple[Graph, NDArray[np.int8]]:
    """All channels have an end of their sums next to a limit, or just beyond it one of them."""
    op, upper = draw_weighted(rng), bool(rng.integers(2))
    in_zero = draw_quantization(rng).in_zero
    products = op.rows[:, :, None] * (np.array([-128, 127]) - in_zero)
    least, most = products.min(axis=2).sum(axis=1), products.max(axis=2).sum(axis=1)
    make = _edge_of_sums if rng.integers(2) else _edge_of_products
    edge, scales, out_zero, clamp = make(rng, op, most - least, upper)
    beyond = rng.choice([-1, 0, 0], len(edge))
    if rng.integers(2):
        beyond[rng.integers(len(edge))] = 1
    bias = edge - 1 - most + beyond if upper else -edge - least - beyond
    bias = np.clip(bias, -(1 << 31) + 1 - np.minimum(least, 0), (1 << 31) - 2 - np.maximum(most, 0))
    x = op.extremes()
    return layer(name, op, x, Quantization(in_zero, out_zero, clamp), scales.astype(np.float32), bias), x


Edge = tuple[Ints, Reals, int, ir.Clamp]  # [channels] absolute value of the limit, scales; zero point and clamp


def _edge_of_sums(rng: np.random.Generator, op: Weighted, spans: Ints, upper: bool) -> Edge:
    """Of the sums themselves, mostly with an output that changes between a channel's ends."""
    limit, clamp = 1 << (int(rng.choice(LIMITS[op.depthwise])) - 1), CLAMPS[rng.integers(len(CLAMPS))]
    zero = int(rng.integers(-128, 1)) if upper else int(rng.integers(0, 128))
    steps = rng.integers(0, max(127 - zero if upper else zero + 128, 1), len(spans)) + 0.5
    return (
        np.full(len(spans), limit),
        steps / np.maximum(limit - rng.random(len(spans)) * spans, limit / 8),
        zero,
        clamp,
    )


def _edge_of_products(rng: np.random.Generator, op: Weighted, spans: Ints, upper: bool) -> Edge:
    """Of what requantization makes of them: a zero point and a product, with as many bits below the point as the
    kernels have, which together come to 32 bits."""
    fine, value, clamp = 0 if op.depthwise else 7, int(rng.choice([32, 64, 128])), CLAMPS[rng.integers(len(CLAMPS))]
    scales = (rng.uniform(0.5, 1, len(spans)) * value / 2 ** (31 - fine)).astype(np.float32).astype(np.float64)
    base, part = 0 if clamp == CLAMPS[0] else clamp[0], int(rng.integers(1, value // 3))
    zero = int(np.clip(base + (value - part if upper else part - value), -128, 127))
    rest = value - 0.5 - (zero - base) if upper else value + 0.5 + (zero - base)
    edge = np.clip(rest / scales, 1, (1 << 31) - 1).astype(np.int64)
    return edge + rng.integers(-1, 2, len(spans)), scales, zero, clamp


def sweep_graph(name: str, rng: np.random.Generator) -> tuple[Graph, NDArray[np.int8]]:
    """Channels that see every byte through one weight, with a bias that puts the output in its range: 256 sums one
    after the other, so that all fractions of requantization come up."""
    kind, quantization = str(rng.choice(["pointwise", "conv", "depthwise", "fully connected"])), draw_quantization(rng)
    channels, depth = int(rng.integers(20, 40)), 1 if kind == "depthwise" else int(rng.choice([1, 4, 5]))
    k_h, k_w = {"conv": (2, 3), "depthwise": (3, 3)}.get(kind, (1, 1))
    weights = np.zeros((channels, k_h, k_w, depth), np.int64)
    weights[:, k_h // 2, k_w // 2, depth // 2] = rng.choice([-2, -1, 1, 1, 3], channels)
    scales = _scales(rng, channels, int(rng.integers(7)))
    middle = rng.integers(-140, 141, channels) - quantization.out_zero
    bias = (middle / scales).astype(np.int64) + rng.integers(-200, 200, channels)
    every = np.arange(-128, 128, dtype=np.int8)
    if kind == "fully connected":
        x = np.repeat(every, depth).reshape(1, 1, 256, depth)
    else:
        columns = np.concatenate([every[: k_w // 2], every, every[: k_w - 1 - k_w // 2]])[:, None]
        x = np.broadcast_to(columns, (1, k_h, len(columns), channels if kind == "depthwise" else depth)).copy()
    return layer(name, Weighted(weights, window_attrs(kind), kind == "depthwise"), x, quantization, scales, bias), x


@dataclass(frozen=True)
class Quantization:
    in_zero: int
    out_zero: int
    clamp: ir.Clamp


def draw_quantization(rng: np.random.Generator) -> Quantization:
    """With a clamp that begins just below, at or above the zero point in half of them."""
    in_zero, zero = (int(rng.choice([-128, 127, int(rng.integers(-128, 128))])) for _ in range(2))
    beside = (int(np.clip(zero + rng.integers(-1, 2), -128, 126)), 127)
    return Quantization(in_zero, zero, CLAMPS[rng.integers(len(CLAMPS))] if rng.integers(2) else beside)


def _scales(rng: np.random.Generator, channels: int, shift: int) -> NDArray[np.float32]:
    """From sums to the output; half of them powers of two, which put ties everywhere."""
    exact = rng.integers(2) == 0
    scales = 2.0**-shift * (np.ones(channels) if exact else rng.uniform(0.5, 1, channels))
    return scales.astype(np.float32)


def layer(
    name: str, op: Weighted, x: NDArray[np.int8], quantization: Quantization, scales: NDArray[np.float32], bias: Ints
) -> Graph:
    stored, attrs, one = op.stored(), op.attrs(quantization.clamp), np.ones(1, np.float32)
    out_shape: tuple[int, ...] = (x.shape[2], len(bias))
    if not isinstance(attrs, ir.FullyConnected):
        _, k_h, k_w, _ = stored.shape
        out_shape = (1, x.shape[1] - k_h + 1, x.shape[2] - k_w + 1, len(bias))
    weights_quant = Quant(scales, op.zero_point, 3 if op.depthwise else 0)
    tensors = (
        Tensor("in", x.shape, DType.INT8, Quant(one, quantization.in_zero)),
        Tensor("weights", stored.shape, DType.INT8, weights_quant, stored.astype(np.int8)),
        Tensor("bias", bias.shape, DType.INT32, Quant(scales, 0), bias.astype(np.int32)),
        Tensor("out", out_shape, DType.INT8, Quant(one, quantization.out_zero)),
    )
    inputs = (TensorId(0), TensorId(1), TensorId(2))
    return Graph(name, tensors, (Op("out", attrs, inputs, (TensorId(3),)),), (TensorId(0),), (TensorId(3),))


Make = Callable[[str, np.random.Generator], tuple[Graph, NDArray[np.int8]]]


def draw_cases(make: Make, count: int, kernels: KernelSet) -> list[CrossCase]:
    cases: list[CrossCase] = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        graph, x = make(f"{make.__name__}_{seed}", rng)
        tile, guarded = TILES[rng.integers(len(TILES))], bool(rng.integers(2))
        with contextlib.suppress(UnsupportedModel):
            cases.append(graph_case(graph, [x], kernels, tile, guarded=guarded))
    return cases


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_edges_of_sums(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    drawn = draw_cases(edge_graph, 4 * cases, kernels)
    assert len(drawn) > 3 * cases
    picked: dict[str, Counter[bool]] = {}
    for case in drawn:
        graph = case.schedule.graph
        (step,) = select_kernels(graph, case.schedule)
        picked.setdefault(step.kind, Counter())[step.symbol.endswith("__dsp")] += 1
    for kind in ("Conv2D", "DepthwiseConv2D", "FullyConnected"):
        assert picked[kind][True] > 3, kind
        assert picked[kind][False] > 3 or (kind, kernels) == ("Conv2D", FAST), kind
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_every_byte(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    run_cross_cases(draw_cases(sweep_graph, cases, kernels), tmp_path)


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_an_offset_beyond_32_bits(kernels: KernelSet, tmp_path: Path) -> None:
    """150 * 2^24, from which no sum takes less than 43 * 2^24; the outputs of one of 80 channels are not all the same.
    Found by a random operator."""
    op = Weighted(np.full((80, 3, 3, 1), 127), window_attrs("depthwise"), depthwise=True)
    scales, bias = np.full(80, 0.75 * 2.0**-24, np.float32), 300_000 * np.arange(80) - 1_000_000_000
    graph = layer("offset", op, op.extremes(), Quantization(0, 23, (-127, 127)), scales, bias)
    made = [
        graph_case(replace(graph, name=f"offset_{i}"), [op.extremes()], kernels, TILES[i], guarded=True) for i in (1, 2)
    ]
    assert all("dsp" in step.symbol for case in made for step in select_kernels(case.schedule.graph, case.schedule))
    run_cross_cases(made, tmp_path)


def two_graph(name: str, rng: np.random.Generator) -> tuple[Graph, list[NDArray[Any]]]:
    """Every pair of bytes, with scales where the kernels end: factors of 1, 2 and 4, shifts of 0, 1 and 22."""
    kind = (ir.Add, ir.Sub, ir.Mul)[rng.integers(3)]
    near = float(rng.choice([1 - 2.0**-20, 1, 1, 1 + 2.0**-20, rng.uniform(0.6, 1.7)]))
    if kind is ir.Mul:
        scales = (1.0, 1.0, near * 2.0 ** float(rng.choice([-2, -1, 0, 1, 2, 8, 15, 20, 21, 22, 23, 24])))
    else:
        largest = near * float(rng.choice([0.125, 0.25, 0.5, 0.5, 0.75, 1, 2, 4, 8]))
        scales = (largest, largest * float(rng.choice([1, 1, 0.5, 0.3, 1 / 100, 1 / 3000])), 1.0)
        scales = (scales[1], scales[0], scales[2]) if rng.integers(2) else scales
    some = [-128, 127] if rng.integers(3) == 0 else [-128, 127, *range(-60, 60, 9)]
    zero_points = [int(rng.choice(some)) for _ in range(3)]
    low, high = sorted(rng.integers(-128, 128, 2).tolist())
    attrs = kind((-128, 127) if rng.integers(2) else (low, high))
    graph = pairs_graph(name, attrs, scales, zero_points)
    return graph, every_pair()


def pairs_graph(name: str, attrs: ir.Attrs, scales: Sequence[float], zero_points: Sequence[int]) -> Graph:
    tensors = tuple(
        Tensor(n, PAIRS, DType.INT8, Quant(np.array([s], np.float32), z))
        for n, s, z in zip(("a", "b", "out"), scales, zero_points, strict=True)
    )
    inputs = (TensorId(0), TensorId(1))
    return Graph(name, tensors, (Op("out", attrs, inputs, (TensorId(2),)),), inputs, (TensorId(2),))


def every_pair() -> list[NDArray[Any]]:
    every = np.arange(-128, 128, dtype=np.int8)
    return [np.repeat(every, 256).reshape(PAIRS), np.tile(every, 256).reshape(PAIRS)]


def test_sums_that_leave_32_bits_have_a_point_further_right(tmp_path: Path) -> None:
    """383 + 254 times 2^22 do; what saturates in the output must not wrap before."""
    scale = 1 - 2.0**-20
    graph = pairs_graph("leave", ir.Add((-128, 127)), (scale, scale, 1), (-128, -128, 127))
    case = graph_case(graph, every_pair(), FAST, None, guarded=True)
    assert "tess_add_run_21_s8__dsp" in case.sources.files["leave.c"]
    run_cross_cases([case], tmp_path)


def test_sums_and_products_of_two(cases: int, tmp_path: Path) -> None:
    drawn, picked = [], Counter[str]()
    for seed in range(cases):
        rng = np.random.default_rng(seed)
        graph, arrays = two_graph(f"two_{seed}", rng)
        drawn.append(graph_case(graph, arrays, FAST, None, guarded=bool(rng.integers(2))))
        (step,) = select_kernels(graph, drawn[-1].schedule)
        picked[step.symbol] += 1
    assert picked["tess_elementwise_s8__dsp"] < len(drawn), "portable kernels are beyond the edges"
    run_cross_cases(drawn, tmp_path)
