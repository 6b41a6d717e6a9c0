"""DEPTHWISE_CONV_2D on a simulated Cortex-M4: every variant of depthwise_conv2d_dsp.h, as layers (in place where the
plan can) and streamed, against the interpreter."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from on_cross import FAST, LEAN, CrossCase, cross_case, run_cross_cases
from single_op import Case, Draw, draw_case, options, weighted
from tessera.ir.attrs import DepthwiseConv2D
from tessera.kernels.call import Function, KernelCall, Struct, Value
from tessera.kernels.isa import KernelSet
from tessera.kernels.select import select_kernels
from tessera.memory.planner import plan_memory
from tessera.schedule.region import FULL, Tile

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

TILES = (None, Tile(1, FULL), Tile(2, 3))
NONE, RELU, RELU_N1_TO_1, RELU6 = range(4)  # of the schema


@dataclass(frozen=True)
class Variant:
    kernel: int
    stride: int
    requantization: str

    @property
    def row(self) -> Function:
        kernel = f"{self.kernel}x{self.kernel}"
        return Function(f"tess_depthwise_row_{kernel}_s{self.stride}_{self.requantization}_s8__dsp")

    @property
    def pixels(self) -> Function:
        return Function(f"tess_depthwise_pixels_{self.kernel}x{self.kernel}_{self.requantization}_s8__dsp")


VARIANTS = [
    Variant(kernel, stride, requantization)
    for kernel in (3, 5, 7)
    for stride in (1, 2)
    for requantization in ("relu", "linear", "relu_clamp", "clamp")
]


def variant_case(variant: Variant, seed: int) -> Case:
    """Widths and channels are such that groups of outputs and of channels have all rests."""
    d = Draw(seed)
    kernel, valid = variant.kernel, int(d.one(0, 0, 1))
    least = kernel if valid else 1
    height, width, depth = (int(d.rng.integers(*ends)) for ends in ((least, 16), (least, 22), (1, 22)))
    depth = int(d.one(depth, depth // 4 * 4 + 4))
    x = d.spec((1, height, width, depth), d.one(np.int8, np.int8, np.uint8))
    w, bias, out, _ = weighted(d, x, (1, kernel, kernel, depth), 3, kernel * kernel, depth)
    zero, activation = _output(d, variant.requantization)
    out.zero_point = zero + (128 if x.dtype == np.uint8 else 0)
    if activation == RELU_N1_TO_1:
        out.scale = np.float32(np.clip(out.scale, 1 / 60, 1 / 2))
    fields = {"strideH": variant.stride, "strideW": variant.stride, "padding": valid}
    option = options("DepthwiseConv2D", depthMultiplier=1, fusedActivationFunction=activation, **fields)
    return d.case("DEPTHWISE_CONV_2D", [x, w, *([bias] if bias else [])], [out], option, 3)


def _output(d: Draw, requantization: str) -> tuple[int, int]:
    """(zero point, fused activation) that ask for it"""
    above = int(d.rng.integers(-127, 127))
    match requantization:
        case "relu":
            return -128, int(d.one(NONE, RELU))
        case "linear":
            return int(d.one(-127, 127, above)), NONE
        case "relu_clamp":
            return int(d.one(-127, above)), RELU
        case _:
            return int(d.rng.integers(-60, 60)), RELU_N1_TO_1


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_every_variant(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    drawn, functions, in_place = [], Counter[Value](), 0
    for seed in range(max(cases, 6 * len(VARIANTS))):
        variant, rng = VARIANTS[seed % len(VARIANTS)], np.random.default_rng(seed)
        tile = TILES[rng.integers(3)]
        guarded = bool(rng.integers(2))
        case = cross_case(f"variant_{seed}", *variant_case(variant, seed), kernels, tile, guarded=guarded)
        drawn.append(case)
        function = function_of(case)
        assert function in (variant.row, variant.pixels, None), variant
        functions[function] += 1
        in_place += tile is None and not guarded and runs_in_place(case)
    for variant in VARIANTS:
        assert functions[variant.row] + functions[variant.pixels] > 0, variant
    assert in_place > 5
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_random_models(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    drawn = []
    for seed in range(cases):
        model, inputs = draw_case("DEPTHWISE_CONV_2D", seed)
        tile = TILES[seed % 3]
        drawn.append(cross_case(f"depthwise_{seed}", model, inputs, kernels, tile, guarded=seed % 2 == 1))
    run_cross_cases(drawn, tmp_path)


def function_of(case: CrossCase) -> Value:
    """The assembly of the depthwise convolution; None where it has none or was folded away."""
    for step in select_kernels(case.schedule.graph, case.schedule):
        if step.kind == "DepthwiseConv2D":
            struct = step.calls[0][0] if isinstance(step, KernelCall) else step.struct
            assert isinstance(struct, Struct)
            fields = dict(struct.fields)
            return fields.get("row", fields.get("pixels"))
    return None


def runs_in_place(case: CrossCase) -> bool:
    plan = plan_memory(case.schedule)
    ops = [op for op in case.schedule.graph.ops if isinstance(op.attrs, DepthwiseConv2D)]
    return any(plan.place_of(op.inputs[0]) == plan.place_of(op.outputs[0]) for op in ops)
