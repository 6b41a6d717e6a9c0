import math
from fractions import Fraction

import numpy as np
import pytest

from tessera.arith.activation import Activation, clamp_range
from tessera.arith.fixed_point import (
    doubling_high_mul,
    exp_on_negative_q5,
    quantize_multiplier,
    reciprocal_one_plus,
    rescale,
    round_half_away,
    rounding_shift_right,
    truncating_div,
)
from tessera.ir.graph import DType, Quant


def half_away(x: Fraction) -> int:
    return int(math.copysign(1, x)) * math.floor(abs(x) + Fraction(1, 2))


@pytest.mark.parametrize("real", [1.0, 0.5, 0.99999999999, 1e-9, 3.7, 1 / 3, 2.0**-31])
def test_multiplier_is_the_nearest_31_bit_number(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 1 << 30 <= multiplier < 1 << 31
    assert abs(Fraction(multiplier) * Fraction(2) ** (shift - 31) - Fraction(real)) <= Fraction(2) ** (shift - 32)


def test_multiplier_of_almost_nothing_is_zero() -> None:
    assert quantize_multiplier(0.0) == quantize_multiplier(1e-12) == (0, 0)


def test_roundings_differ_in_their_ties() -> None:
    """The high multiplication rounds half up, the shift half away from zero."""
    half = 1 << 30
    assert doubling_high_mul([-3, -1, 1, 3], half).tolist() == [-1, 0, 1, 2]
    assert rounding_shift_right([-3, -1, 1, 3], 1).tolist() == [-2, -1, 1, 2]
    assert round_half_away([-1.5, -0.5, 0.5, 1.5, np.float32(0.49999997)]).tolist() == [-2, -1, 1, 2, 0]
    assert truncating_div([-7, 7], 2).tolist() == [-3, 3]


def test_rescale_is_two_roundings() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        x, q, shift = int(rng.integers(-(2**24), 2**24)), int(rng.integers(2**30, 2**31)), -int(rng.integers(0, 12))
        high = math.floor(Fraction(x * q, 1 << 31) + Fraction(1, 2))
        assert rescale(x, q, shift) == half_away(Fraction(high, 1 << -shift))


def test_a_left_shift_wraps_as_in_int32() -> None:
    assert rescale(1 << 30, 1 << 30, 1) == -(1 << 30)


def test_exp_and_reciprocal_are_close_to_the_real_ones() -> None:
    a = -np.linspace(0, 31, 500)
    exp = exp_on_negative_q5(np.rint(a * 2**26).astype(np.int64)) / 2**31
    assert np.max(np.abs(exp - np.exp(a))) < 1e-6
    b = np.linspace(0, 1, 500, endpoint=False)
    reciprocal = reciprocal_one_plus(np.rint(b * 2**31).astype(np.int64)) / 2**31
    assert np.max(np.abs(reciprocal - 1 / (1 + b))) < 1e-6


def test_clamp_limits() -> None:
    quant = Quant(np.array([0.1], np.float32), -20)
    assert clamp_range(Activation.NONE, quant, DType.INT8) == (-128, 127)
    assert clamp_range(Activation.RELU, quant, DType.INT8) == (-20, 127)
    assert clamp_range(Activation.RELU6, quant, DType.INT8) == (-20, 40)
    assert clamp_range(Activation.RELU_N1_TO_1, quant, DType.INT8) == (-30, -10)
    assert clamp_range(Activation.RELU6, Quant(np.array([6 / 2.5], np.float32), 0), DType.INT8) == (0, 3)  # a tie
