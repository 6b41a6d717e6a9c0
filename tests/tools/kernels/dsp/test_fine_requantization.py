"""fine_requantization: what the matrix kernels make of it, emulated, is the reference's requantization."""

from __future__ import annotations

import numpy as np
import pytest

from tessera.arith.fixed_point import Ints, rescale
from tessera.kernels.dsp.fine_requantization import fine_requantization

CLAMPS = [(-128, 127), (-128, 100), (-20, 127), (5, 90), (127, 127)]


def kernel(acc: Ints, row: Ints, zero_point: int, clamp: tuple[int, int]) -> Ints:
    """What gemm_s8.S does with 256 * acc."""
    multiplier, k, shift = (int(v) for v in row)
    high = k + (256 * acc * multiplier >> 32)
    high -= 128 * (acc < 0) * (clamp[0] < zero_point)
    assert np.all(np.abs(high + 0.5) < 1 << 31)
    value: Ints = high >> shift
    if clamp == (-128, 127):
        return np.clip(value, -128, 127)
    raised = np.minimum(np.clip(value, 0, 255) + 255 - (clamp[1] - clamp[0]), 255)  # USAT, UQADD8
    settled = (raised + clamp[1] - 255) % 256  # UADD8
    return np.where(settled < 128, settled, settled - 256)


def accumulators(rng: np.random.Generator, most: int, multiplier: int, right: int) -> Ints:
    """Around zero, the ends, random ones, and those that come to a tie of either rounding."""
    ties = (np.arange(-300, 300) * 2 + 1 << right >> 1) * (1 << 31) // multiplier
    near = np.concatenate([ties + d for d in range(-2, 3)])
    ends = np.arange(5)
    all_of_them = np.concatenate(
        [near, rng.integers(-most, most, 3000), np.arange(-50, 50), ends - most, most - 1 - ends]
    )
    return np.unique(np.clip(all_of_them, -most, most - 1))


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize("zero_point", [-128, -5, 0, 5, 127])
def test_equal_to_the_reference(clamp: tuple[int, int], zero_point: int) -> None:
    rng = np.random.default_rng(abs(zero_point))
    found = 0
    for right in range(0, 26):
        multiplier = int(rng.choice([1 << 30, (1 << 31) - 1, *rng.integers(1 << 30, 1 << 31, 3)]))
        most = int(rng.choice([1 << 23, 1 << 16, 300 << min(right, 14)]))
        acc = accumulators(rng, min(most, 1 << 23), multiplier, right)
        ends = np.array([acc.min()]), np.array([acc.max()])
        rows = fine_requantization(ends, np.array([multiplier]), np.array([-right]), zero_point, clamp)
        if rows is None:
            continue
        found += 1
        expected = np.clip(zero_point + rescale(acc, multiplier, -right), *clamp)
        assert np.array_equal(kernel(acc, rows[0], zero_point, clamp), expected), (multiplier, right, most)
    assert found >= 12


def test_a_constant_channel_takes_any_accumulator_and_shift() -> None:
    """As those that a model scales down to nothing, or whose bias is far outside."""
    ends = np.array([-5, 1 << 29]), np.array([7, 1 << 30])
    rows = fine_requantization(ends, np.array([1 << 30, 1 << 30]), np.array([-31, -10]), -3, (-128, 127))
    assert rows is not None
    acc = np.array([-(1 << 23), -1, 0, (1 << 23) - 1])
    assert np.all(kernel(acc, rows[0], -3, (-128, 127)) == -3)
    assert np.all(kernel(acc, rows[1], -3, (-128, 127)) == 127)


@pytest.mark.parametrize(
    ("low", "high", "shift", "zero_point"),
    [
        (-10, 1 << 23, -9, 0),
        (-(1 << 23) - 1, 10, -9, 0),
        (-1000, 1000, 1, 0),
        (-1000, 1000, 0, 0),
        (-(1 << 23), 0, -20, 127),
    ],
)
def test_what_has_no_form(low: int, high: int, shift: int, zero_point: int) -> None:
    ends = np.array([low]), np.array([high])
    assert fine_requantization(ends, np.array([3 << 29]), np.array([shift]), zero_point, (-128, 127)) is None
