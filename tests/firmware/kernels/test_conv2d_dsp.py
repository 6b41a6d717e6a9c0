"""CONV_2D on a simulated Cortex-M4 against the interpreter: every variant of conv2d_dsp.h and conv2d_lean_dsp.h, as
layers and streamed.

Plans alternate between the planner's, with its overlaps, and one with guards around every buffer.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from on_cross import FAST, LEAN, CrossCase, cross_case, graph_case, run_cross_cases
from single_op import draw_case
from tessera.ir.attrs import Conv2D
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.kernels.isa import KernelSet
from tessera.schedule.region import FULL, Tile

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

TILES = {1: Tile(1, FULL), 2: Tile(2, 2), 3: Tile(1, 5)}  # by seed % 4
VARIANTS = {
    FAST: [f"tess_gemm_{v}_s8__dsp" for v in ("relu", "linear", "relu_clamp", "clamp", "raw")]
    + [f"tess_conv2d_expand{v}_s8__dsp" for v in ("", "_3x3x3", "_centred", "_3x3x3_centred")],
    LEAN: [f"tess_gemm_lean_{r}{v}_s8__dsp" for r in ("", "row_") for v in ("relu", "linear", "relu_clamp", "clamp")]
    + [".kernels = NULL"],
}


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_models_of_the_reference(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    drawn = []
    for seed in range(cases):
        model, inputs = draw_case("CONV_2D", seed)
        name = f"conv2d_{seed}"
        drawn.append(cross_case(name, model, inputs, kernels, TILES.get(seed % 4), guarded=seed % 3 > 0))
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_shapes_and_quantizations(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    drawn = [draw(seed, kernels) for seed in range(4 * cases)]
    used = Counter(v for case in drawn for v in VARIANTS[kernels] if v in case.sources.files[f"{case.sources.name}.c"])
    assert set(used) == set(VARIANTS[kernels]), "not every variant was drawn"
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize(
    ("kernels", "depth", "kernel"),
    [
        (FAST, 257, "tess_gemm_linear_s8__dsp"),
        (FAST, 300, "tess_conv2d_multiply_wide_s8__dsp"),
        (FAST, 700, "tess_conv2d_multiply_wide_s8__dsp"),
        (LEAN, 257, "tess_gemm_lean_row_linear_s8__dsp"),
        (LEAN, 300, "kernels = NULL"),
        (LEAN, 700, "tess_conv2d_1x1_s8"),
    ],
)
def test_the_largest_sums(kernels: KernelSet, depth: int, kernel: str, tmp_path: Path) -> None:
    """257 products of 127 * 255 are the most that 24 bits hold with a bias; 508 of 128 * 127 without one."""
    largest = Case(out_c=6, in_c=depth, size=(1, 5), zero_points=(-128, 3), scale=2.0**-16, extreme=True)
    smallest = replace(largest, out_c=7, zero_points=(127, 3))
    made = [
        graph_case(c.graph(f"sums_{i}"), [np.full((1, 1, 5, depth), v, np.int8)], kernels, None, guarded=True)
        for i, (c, v) in enumerate([(largest, 127), (smallest, -128)])
    ]
    assert all(kernel in case.sources.files[f"{case.sources.name}.c"] for case in made)
    run_cross_cases(made, tmp_path)


@dataclass(frozen=True)
class Case:
    """A convolution; by default 1x1 without a clamp. `scale`: of its sums to its output."""

    out_c: int
    in_c: int
    size: tuple[int, int]
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    zero_points: tuple[int, int] = (0, 0)
    clamp: tuple[int, int] = (-128, 127)
    scale: float = 2.0**-8
    bias: int | None = 1000  # the largest
    weights_zero_point: int = 0
    extreme: bool = False  # weights of one sign are all 127 or all -127, by channel
    seed: int = 0

    def graph(self, name: str) -> Graph:
        rng = np.random.default_rng(self.seed)
        (k_h, k_w), (h, w), (top, bottom, left, right) = self.kernel, self.size, self.padding
        out_h, out_w = (h + top + bottom - k_h) // self.stride[0] + 1, (w + left + right - k_w) // self.stride[1] + 1
        weights = rng.integers(-127, 128, (self.out_c, k_h, k_w, self.in_c))
        if self.extreme:
            weights = np.where(np.arange(self.out_c) % 2 == 0, 127, -127)[:, None, None, None] * np.ones_like(weights)
        scales = (self.scale * 2 ** rng.uniform(-1, 1, self.out_c)).astype(np.float32)
        tensors = [
            Tensor("in", (1, h, w, self.in_c), DType.INT8, _quant(1.0, self.zero_points[0])),
            Tensor(
                "weights", weights.shape, DType.INT8, Quant(scales, self.weights_zero_point), weights.astype(np.int8)
            ),
            Tensor("out", (1, out_h, out_w, self.out_c), DType.INT8, _quant(1.0, self.zero_points[1])),
        ]
        inputs = [TensorId(0), TensorId(1)]
        if self.bias is not None:
            bias = rng.integers(-self.bias, self.bias + 1, self.out_c).astype(np.int32)
            tensors.append(Tensor("bias", bias.shape, DType.INT32, Quant(scales, 0), bias))
            inputs.append(TensorId(3))
        op = Op("out", Conv2D(self.stride, self.padding, self.clamp), tuple(inputs), (TensorId(2),))
        return Graph(name, tuple(tensors), (op,), (TensorId(0),), (TensorId(2),))


def draw(seed: int, kernels: KernelSet) -> CrossCase:
    rng = np.random.default_rng(seed)

    def one(*choices: int) -> int:
        return int(rng.choice(choices))

    in_c, kernel = (
        one(1, 2, 3, 4, 5, 8, 9, 16, 23),
        ((1, 1), (1, 1), (3, 3), (3, 3), (5, 2), (2, 5), (10, 4))[one(*range(7))],
    )
    if seed % 5 == 0:
        in_c, kernel = 3, (3, 3)
    pads = [one(0, *range(k)) for k in (*kernel, *kernel)]
    padding = (pads[0], pads[2], pads[1], pads[3]) if one(0, 1) else (0, 0, 0, 0)
    size = tuple(
        max(k - a - b, 1) + one(*range(11)) for k, a, b in zip(kernel, padding[::2], padding[1::2], strict=True)
    )
    zero_points = (one(-128, 127, *rng.integers(-128, 128, 2)), one(-128, -128, 127, *rng.integers(-128, 128, 2)))
    low, high = sorted(rng.integers(-128, 128, 2).tolist())
    clamps = (
        (-128, 127),
        (-128, 127),
        (zero_points[1], 127),
        (zero_points[1], min(127, zero_points[1] + 90)),
        (low, high),
    )
    depth = in_c * kernel[0] * kernel[1]
    case = Case(
        out_c=one(*range(1, 14)),
        in_c=in_c,
        size=(size[0], size[1]),
        kernel=kernel,
        stride=(one(1, 1, 2, 3), one(1, 1, 2, 3)),
        padding=padding,
        zero_points=zero_points,
        clamp=clamps[one(*range(5))],
        # outputs use their range; or multipliers above one half, or far below what a byte can show
        scale=2.0 ** one(-6, -6, -6, -6, 0, 2, -20, -24) / (128 * np.sqrt(depth)),
        bias=(None, 3000, 3000, 3000, 1 << 27)[one(*range(5))],
        weights_zero_point=one(0, 0, 0, 0, 0, -90, -3, 20),
        extreme=one(0, 0, 0, 0, 1) == 1,
        seed=seed,
    )
    x = _bytes(rng, (1, *case.size, in_c))
    return graph_case(case.graph(f"conv2d_{seed}"), [x], kernels, TILES.get(seed % 4), guarded=one(0, 1, 1) == 1)


def _bytes(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.int8]:
    if rng.random() < 0.2:
        return rng.choice(np.array([-128, 127], np.int8), shape)
    return rng.integers(-128, 128, shape).astype(np.int8)


def _quant(scale: float, zero_point: int) -> Quant:
    return Quant(np.array([scale], np.float32), zero_point)
