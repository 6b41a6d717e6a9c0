"""FULLY_CONNECTED on a simulated Cortex-M4: rests of words and of groups of channels, chunks, large biases, ties."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from on_cross import FAST, LEAN, CrossCase, cross_case, run_cross_cases
from single_op import Case, Draw, Spec, draw_case, options, weighted
from tessera.kernels.call import KernelCall, Struct
from tessera.kernels.isa import KernelSet
from tessera.kernels.select import select_kernels

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

PORTABLE_KERNEL = "tess_fully_connected_s8"


def kernel(case: CrossCase) -> KernelCall:
    (step,) = (s for s in select_kernels(case.schedule.graph, case.schedule) if s.kind == "FullyConnected")
    assert isinstance(step, KernelCall)
    return step


def random_shape(seed: int) -> Case:
    """int8, without what asks for the portable kernel; several rows, all rests of 4 in both directions."""
    d = Draw(seed)
    depth, channels = int(d.rng.integers(1, 40)), int(d.rng.integers(1, 40))
    x = d.spec((int(d.one(1, 1, 3)), depth))
    w, bias, out, _ = weighted(d, x, (channels, depth), 0, depth, channels)
    option = options("FullyConnected", fusedActivationFunction=int(d.one(0, 0, 1, 3)))
    return d.case("FULLY_CONNECTED", [x, w, bias], [out], option, 4)


def extreme(channels: int, depth: int, seed: int, *, bias: int = 0) -> Case:
    """Every product has the largest absolute value, and channels take turns in the sign of their sums."""
    rng = np.random.default_rng(seed)
    weights = np.where(np.arange(channels) % 2, 127, -127)[:, None] * np.ones((1, depth), np.int64)
    x = Spec((2, depth), np.int8, 0.02, int(rng.choice([-128, 127])))
    w = Spec(weights.shape, np.int8, 0.01, 0, weights)
    biases = Spec((channels,), np.int32, 0.02 * 0.01, 0, rng.integers(-bias, bias + 1, channels))
    out = Spec((), np.int8, 0.02 * 0.01 * (depth * 127 + bias) * 2, int(rng.integers(-128, 128)))
    values = np.array([np.full(depth, -128), rng.choice([-128, 127], depth)], np.int8)
    option = options("FullyConnected", fusedActivationFunction=0)
    return Draw(seed).case("FULLY_CONNECTED", [x, w, biases], [out], option, 4, [values])


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_shapes(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    drawn = [cross_case(f"shape_{s}", *random_shape(s), kernels, None, guarded=s % 2 == 1) for s in range(cases)]
    symbols = [kernel(case).symbol for case in drawn]
    assert symbols.count(PORTABLE_KERNEL) < 0.1 * cases
    assert ("tess_fully_connected_expanded_s8__dsp" in symbols) == kernels.fast
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_random_models(kernels: KernelSet, cases: int, tmp_path: Path) -> None:
    """Also uint8 weights with zero points, and accumulators next to a rounding boundary."""
    drawn = []
    for seed in range(cases):
        model, inputs = draw_case("FULLY_CONNECTED", seed)
        drawn.append(cross_case(f"random_{seed}", model, inputs, kernels, None, guarded=seed % 2 == 1))
    run_cross_cases(drawn, tmp_path)


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_sums_beyond_24_bits_and_large_biases(kernels: KernelSet, tmp_path: Path) -> None:
    drawn = [
        cross_case(f"extreme_{i}", *extreme(channels, depth, i, bias=bias), kernels, None, guarded=True)
        for i, (channels, depth, bias) in enumerate(
            [(18, 508, 0), (17, 520, 0), (6, 1283, 5), (19, 2048, 1 << 20), (5, 64, 1 << 22), (16, 63, 1 << 22)]
        )
    ]
    chunks = []
    for case in drawn:
        struct = kernel(case).calls[0][0]
        assert isinstance(struct, Struct)
        fields = dict(struct.fields)
        assert kernel(case).symbol != PORTABLE_KERNEL
        chunks.append(-(-(int(str(fields["in_c"])) // 4) // int(str(fields["chunk_words"]))))
    assert chunks[0] == 1
    assert max(chunks) > 2
    run_cross_cases(drawn, tmp_path)


def test_weights_without_a_packed_form_stay_with_the_portable_kernel(tmp_path: Path) -> None:
    """A pair (-128, negative) has no int16 of its own."""
    weights = np.full((5, 9), -128)
    tensors = Spec((1, 9), np.int8, 0.02, 3), Spec(weights.shape, np.int8, 0.01, 0, weights)
    option = options("FullyConnected", fusedActivationFunction=0)
    model = Draw(0).case("FULLY_CONNECTED", [*tensors, None], [Spec((), np.int8, 0.5, 1)], option, 4)
    case = cross_case("pairs", *model, FAST, None, guarded=True)
    assert kernel(case).symbol == PORTABLE_KERNEL
    run_cross_cases([case], tmp_path)


def test_last_weights_beyond_bytes_stay_with_the_portable_kernel(tmp_path: Path) -> None:
    """Weights less their zero point may be so where only those of no whole word are; found by a random network."""
    cases = []
    for depth in (3, 6):
        weights = np.full((5, depth), 255)
        weights[:, : depth // 4 * 4] = 10
        tensors = Spec((1, depth), np.uint8, 0.02, 3), Spec(weights.shape, np.uint8, 0.01, 1, weights)
        option = options("FullyConnected", fusedActivationFunction=0)
        model = Draw(0).case("FULLY_CONNECTED", [*tensors, None], [Spec((), np.uint8, 0.05, 1)], option, 4)
        cases.append(cross_case(f"last_{depth}", *model, FAST, None, guarded=True))
        assert kernel(cases[-1]).symbol == PORTABLE_KERNEL
    run_cross_cases(cases, tmp_path)
