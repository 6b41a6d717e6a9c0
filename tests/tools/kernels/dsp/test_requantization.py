"""packed_requantization: what the depthwise kernels make of it, emulated, is the reference's requantization."""

from __future__ import annotations

import numpy as np
import pytest

from tessera.arith.fixed_point import Ints, rescale
from tessera.kernels.dsp.requantization import packed_requantization

CLAMPS = [(-128, 127), (-128, 100), (-20, 127), (5, 90), (127, 127)]
ACC_BITS = 31


def kernel(acc: Ints, row: Ints, zero_point: int, clamp: tuple[int, int]) -> Ints:
    """What depthwise_rows_s8.S does with twice the accumulator."""
    multiplier, k, shift = (int(v) for v in row)
    high = k + (2 * acc * multiplier + (1 << 31) >> 32)
    high -= (acc < 0) * (clamp[0] < zero_point)
    assert np.all(np.abs(high + 0.5) < 1 << 31)
    value: Ints = high >> shift
    if clamp == (-128, 127):
        return np.clip(value, -128, 127)
    raised = np.minimum(np.clip(value, 0, 255) + 255 - (clamp[1] - clamp[0]), 255)  # USAT, UQADD8
    settled = (raised + clamp[1] - 255) % 256  # the byte that is stored
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
    for right in range(0, 31):
        multiplier = int(rng.choice([1 << 30, (1 << 31) - 1, *rng.integers(1 << 30, 1 << 31, 3)]))
        most = int(rng.choice([1 << 30, 1 << 20, 300 << min(right, 21)]))
        acc = accumulators(rng, min(most, 1 << 30), multiplier, right)
        ends = np.array([acc.min()]), np.array([acc.max()])
        rows = packed_requantization(ends, np.array([multiplier]), np.array([-right]), zero_point, clamp, ACC_BITS)
        if rows is None:
            continue
        found += 1
        expected = np.clip(zero_point + rescale(acc, multiplier, -right), *clamp)
        assert np.array_equal(kernel(acc, rows[0], zero_point, clamp), expected), (multiplier, right, most)
    assert found >= 12


def test_a_constant_channel_takes_any_accumulator_and_shift() -> None:
    ends = np.array([-5, 1 << 29]), np.array([7, 1 << 30])
    rows = packed_requantization(ends, np.array([1 << 30, 1 << 30]), np.array([-31, 0]), -5, (-128, 127), ACC_BITS)
    assert rows is not None
    assert rows.tolist() == [[0, -9, 1], [0, 255, 1]]
    for row, value in zip(rows, (-5, 127), strict=True):
        assert np.all(kernel(np.array([-5, 0, 1 << 29]), row, -5, (-128, 127)) == value)


def test_sums_or_shifts_that_have_no_such_form() -> None:
    multiplier = np.array([1 << 30])

    def form(low: int, high: int, shift: int, zero_point: int) -> Ints | None:
        return packed_requantization(
            (np.array([low]), np.array([high])), multiplier, np.array([shift]), zero_point, (-128, 127), ACC_BITS
        )

    assert form(-100, 100, -3, 0) is not None
    assert form(-100, (1 << 30) + 1, -3, 0) is None
    assert form(-100, 100, 1, -128) is None
    assert form(-100, 100, 0, -128) is not None
    assert form(-100, 100, 0, 0) is None  # a sum below zero would come out one too low
    assert form(-(1 << 29), 1 << 29, -24, -128) is None  # the zero point does not fit beside the fraction
