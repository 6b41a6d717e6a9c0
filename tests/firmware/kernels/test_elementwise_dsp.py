"""ADD, SUB and MUL on a simulated Cortex-M4: dense and repeated operands, layers and spans, all pairs of bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from on_cross import FAST, LEAN, CrossCase, cross_case, run_cross_cases
from single_op import Case, Draw, Spec, all_bytes, draw_case, options
from tessera.kernels.call import Function, KernelCall, Struct
from tessera.kernels.select import select_kernels
from tessera.schedule.region import FULL, Tile

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

TILES = (None, Tile(1, FULL), Tile(2, 3))
OUTPUT_SCALE = {"ADD": lambda a, b: max(a, b), "SUB": lambda a, b: max(a, b), "MUL": lambda a, b: a * b * 60}


def two_operands(kind: str, seed: int) -> Case:
    """Every rest of four; two maps, or a map and what repeats: its channels, its rows, one value a pixel or for all."""
    d = Draw(seed)
    shape = (1, *d.dims(2, 6), int(d.rng.integers(2, 40)))
    other = d.one(shape, shape, (1, 1, 1, shape[3]), (shape[3],), (1, 1, *shape[2:]), (*shape[:3], 1), ())
    x, y = d.spec(shape), d.spec(other)
    if d.one(0, 0, 1):
        y.data = d.values(y)
    if d.one(0, 0, 0, 1):
        y.scale = x.scale
    if kind == "MUL" and d.one(0, 0, 1):
        x.zero_point = y.zero_point = -128  # no negative product
    if d.one(0, 1):
        x, y = y, x
    out = d.spec((), np.int8, OUTPUT_SCALE[kind](float(x.scale), float(y.scale)), 2.0)
    option = options(kind.capitalize(), fusedActivationFunction=int(d.one(0, 0, 1, 3)))
    return d.case(kind, [x, y], [out], option)


def all_pairs(kind: str, seed: int) -> Case:
    d = Draw(seed)
    x, y = d.spec((1, 1, 256, 256)), d.spec((1, 1, 256, 256))
    if seed % 3 == 0:
        y.scale = x.scale  # exact ties
    out = d.spec((), np.int8, OUTPUT_SCALE[kind](float(x.scale), float(y.scale)), 1.0)
    every = all_bytes().astype(np.int8)
    fixed = [np.broadcast_to(every[:, None], x.shape), np.broadcast_to(every, y.shape)]
    return d.case(kind, [x, y], [out], options(kind.capitalize(), fusedActivationFunction=0), 2, fixed)


def run_function(case: CrossCase) -> str:
    (step,) = select_kernels(case.schedule.graph, case.schedule)
    struct = step.calls[0][0] if isinstance(step, KernelCall) else step.struct
    assert isinstance(struct, Struct)
    run = dict(struct.fields).get("run")
    return run.symbol if isinstance(run, Function) else step.symbol


@pytest.mark.parametrize("kind", OUTPUT_SCALE)
def test_two_operands(kind: str, cases: int, tmp_path: Path) -> None:
    drawn = [
        cross_case(
            f"case_{seed}",
            *two_operands(kind, seed),
            LEAN if seed % 4 == 1 else FAST,
            TILES[seed % 3],
            guarded=seed % 2 == 1,
        )
        for seed in range(cases)
    ]
    lowered = [name for case in drawn if (name := run_function(case)).endswith("__dsp")]
    assert len(lowered) > 0.9 * cases
    assert len(set(lowered)) == (2 if kind == "MUL" else 3)
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("kind", OUTPUT_SCALE)
def test_all_pairs_of_bytes(kind: str, tmp_path: Path) -> None:
    drawn = [cross_case(f"pairs_{seed}", *all_pairs(kind, seed), FAST, None, guarded=True) for seed in range(9)]
    assert sum(run_function(case).endswith("__dsp") for case in drawn) >= 8
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("kind", OUTPUT_SCALE)
def test_random_models(kind: str, cases: int, tmp_path: Path) -> None:
    drawn = []
    for seed in range(cases):
        model, inputs = draw_case(kind, seed)
        drawn.append(cross_case(f"random_{seed}", model, inputs, FAST, TILES[seed % 3], guarded=seed % 2 == 1))
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("exponents", [(0, 0, 0), (0, 1, 0), (-2, 0, 1), (1, 1, 0), (0, 0, 1), (0, -3, -1)])
def test_powers_of_two_have_a_line(exponents: tuple[int, int, int], tmp_path: Path) -> None:
    """Half of the sums are ties, which round away from zero on either side of it."""
    scales = [np.float32(2.0**e / 32) for e in exponents]
    x, y = (Spec((1, 1, 256, 256), np.int8, scale, zero) for scale, zero in zip(scales, (-5, 9), strict=False))
    every = all_bytes().astype(np.int8)
    fixed = [np.broadcast_to(every[:, None], x.shape), np.broadcast_to(every, y.shape)]
    option = options("Add", fusedActivationFunction=0)
    model = Draw(0).case("ADD", [x, y], [Spec((), np.int8, scales[2], 3)], option, 2, fixed)
    case = cross_case("powers", *model, FAST, None, guarded=True)
    assert run_function(case).endswith("__dsp")
    run_cross_cases([case], tmp_path)
