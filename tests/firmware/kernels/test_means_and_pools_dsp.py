"""Means and pools on a simulated Cortex-M4: rests of four channels, sums of more than 256 pixels, layers and spans."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from on_cross import FAST, CrossCase, cross_case, run_cross_cases
from single_op import Case, Draw, Spec, draw_case, ints, model_of, options
from tessera.kernels.select import select_kernels
from tessera.schedule.region import FULL, Tile

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

TILES = (None, Tile(1, FULL), Tile(2, 3))


def symbols(cases: list[CrossCase]) -> set[str]:
    return {step.symbol for case in cases for step in select_kernels(case.schedule.graph, case.schedule)}


def mean_over_map(d: Draw) -> Case:
    x = d.spec((1, *d.dims(2, 24), int(d.rng.integers(1, 24))))
    out = d.spec((), np.int8, float(x.scale), 2.0)
    return d.case("MEAN", [x, ints([1, 2])], [out], options("Reducer", keepDims=bool(d.one(0, 1))))


def mean_of_means(d: Draw) -> Case:
    x = d.spec((1, *d.dims(2, 24), int(d.rng.integers(1, 24))))
    row = d.spec((1, x.shape[1], 1, x.shape[3]), np.int8, float(x.scale), 1.0)
    out = d.spec((1, 1, 1, x.shape[3]), np.int8, float(x.scale), 1.0)
    tensors = [x, ints([2]), row, ints([1]), out]
    kept = options("Reducer", keepDims=True)
    ops = [("MEAN", [0, 1], [2], kept, 2), ("MEAN", [2, 3], [4], kept, 2)]
    return model_of(tensors, ops, [0], [4]), [d.values(x)]


def pool(kind: str) -> Callable[[Draw], Case]:
    """Windows up to the whole map, fused activations."""

    def draw(d: Draw) -> Case:
        height, width = d.dims(2, 18)
        x = d.spec((1, height, width, int(d.rng.integers(1, 24))), d.byte_type())
        whole = d.one(False, True)
        kernel = (height, width) if whole else tuple(int(d.rng.integers(1, min(4, n) + 1)) for n in (height, width))
        fields = {"filterHeight": kernel[0], "filterWidth": kernel[1], "padding": 1 if whole else int(d.one(0, 1))}
        strides = {"strideH": int(d.one(1, 2)), "strideW": int(d.one(1, 2))}
        option = options("Pool2D", fusedActivationFunction=int(d.one(0, 0, 1, 3)), **fields, **strides)
        return d.case(kind, [x], [Spec((), x.dtype, x.scale, x.zero_point)], option)

    return draw


LOWERED = {
    "mean": (mean_over_map, {"tess_mean_map_s8__dsp", "tess_mean_map_span_s8__dsp"}),
    "mean of means": (mean_of_means, {"tess_mean_of_means_s8__dsp", "tess_mean_of_means_span_s8__dsp"}),
    "average": (
        pool("AVERAGE_POOL_2D"),
        {"tess_avg_pool2d_s8__dsp", "tess_avg_pool2d_span_s8__dsp", "tess_avg_pool2d_map_span_s8__dsp"},
    ),
    "maximum": (pool("MAX_POOL_2D"), {"tess_max_pool2d_s8__dsp", "tess_max_pool2d_span_s8__dsp"}),
}


@pytest.mark.parametrize("what", LOWERED)
def test_equals_the_interpreter(what: str, cases: int, tmp_path: Path) -> None:
    draw, lowered = LOWERED[what]
    drawn = [
        cross_case(f"case_{seed}", *draw(Draw(seed)), FAST, TILES[seed % 3], guarded=seed % 2 == 1)
        for seed in range(cases)
    ]
    assert lowered <= symbols(drawn)
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("kind", ["MEAN", "AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_random_models(kind: str, cases: int, tmp_path: Path) -> None:
    drawn = []
    for seed in range(cases):
        model, inputs = draw_case(kind, seed)
        drawn.append(cross_case(f"random_{seed}", model, inputs, FAST, TILES[seed % 3], guarded=seed % 2 == 1))
    run_cross_cases(drawn, tmp_path)
