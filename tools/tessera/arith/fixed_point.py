"""Fixed-point arithmetic of the reference kernels (TFLite common.cc, gemmlowp fixedpoint.h).

Arrays are int64; a value that C holds in an int32 fits in 32 bits. `real = multiplier / 2^31 * 2^shift`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Multiplier = tuple[int, int]  # (multiplier in [2^30, 2^31) or 0, shift)
INT32_MAX = (1 << 31) - 1


def quantize_multiplier(real: float | np.floating[Any]) -> Multiplier:
    """`real` must be computed in the float type of the operator's Prepare, else the multiplier can be off by one."""
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(float(real))
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def quantize_multipliers(reals: NDArray[np.float64]) -> tuple[Ints, Ints]:
    pairs = [quantize_multiplier(r) for r in reals]
    return np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.int64)


def rescale(x: ArrayLike, multiplier: ArrayLike, shift: ArrayLike) -> Ints:
    """MultiplyByQuantizedMultiplier with two roundings: half up at bit 31, then half away from zero."""
    left, right = np.maximum(shift, 0), np.maximum(-np.asarray(shift, np.int64), 0)
    x = np.asarray(x, np.int64)
    shifted = wrap32(np.left_shift(x, left, dtype=np.int64)) if np.any(left) else x
    return rounding_shift_right(doubling_high_mul(shifted, multiplier), right)


def wrap32(x: Ints) -> Ints:
    """What an int32 keeps of x: a left shift that leaves int32 wraps in the reference."""
    return ((x + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def doubling_high_mul(a: ArrayLike, b: ArrayLike) -> Ints:
    """gemmlowp SaturatingRoundingDoublingHighMul: (2ab) >> 32 rounded HALF UP. The C text truncates after a nudge that
    depends on the sign; for both signs that is one add and one arithmetic shift."""
    product: Ints = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    result: Ints = np.minimum((product + (1 << 30)) >> 31, INT32_MAX)
    return result


def rounding_shift_right(x: ArrayLike, bits: ArrayLike) -> Ints:
    """gemmlowp RoundingDivideByPOT: rounds HALF AWAY FROM ZERO."""
    x, bits = np.asarray(x, np.int64), np.asarray(bits, np.int64)
    result: Ints = (x + ((1 << bits) >> 1) - ((x < 0) & (bits > 0))) >> bits
    return result


def saturating_shift_left(x: ArrayLike, bits: int, width: int = 32) -> Ints:
    limit = 1 << (width - 1)
    shifted: Ints = np.asarray(x, np.int64) << bits
    return np.clip(shifted, -limit, limit - 1)


def truncating_div(a: ArrayLike, b: ArrayLike) -> Ints:
    """C's integer division, towards zero; b > 0."""
    a = np.asarray(a, np.int64)
    return np.where(a >= 0, a // b, -(-a // b))


def round_half_away(x: ArrayLike) -> NDArray[Any]:
    """C's round(). Exact: adding 0.5 is wrong for 0.49999997f."""
    x = np.asarray(x)
    whole = np.trunc(x)
    result: NDArray[Any] = whole + np.where(np.abs(x - whole) >= 0.5, np.sign(x), 0)
    return result


# gemmlowp fixedpoint.h. Qm.n has m integer bits and n = 31 - m fractional bits in an int32.


def exp_on_negative_q5(a: ArrayLike) -> Ints:
    """exp(a) as Q0.31, for a <= 0 in Q5.26."""
    a = np.asarray(a, np.int64)
    quarter = 1 << 24
    low = (a & (quarter - 1)) - quarter
    x = saturating_shift_left(low, 5) + (1 << 28)  # Taylor around -1/8
    x2 = doubling_high_mul(x, x)
    x3, x4 = doubling_high_mul(x2, x), doubling_high_mul(x2, x2)
    tail = rounding_shift_right(doubling_high_mul(rounding_shift_right(x4, 2) + x3, 715827883) + x2, 1)
    result = 1895147668 + doubling_high_mul(1895147668, x + tail)
    rest = low - a
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)  # exp(-2^k), k = -2..4
    for bit, factor in zip(range(24, 31), factors, strict=True):
        result = np.where(rest & (1 << bit), doubling_high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def reciprocal_one_plus(a: ArrayLike) -> Ints:
    """1 / (1 + a) as Q0.31, for a in [0, 1) in Q0.31: three Newton steps in Q2.29."""
    half = (np.asarray(a, np.int64) + (1 << 31)) // 2  # rounding half sum with "one" = 2^31 - 1
    x = 1515870810 + doubling_high_mul(half, -1010580540)  # 48/17 - 32/17 * half
    for _ in range(3):
        x = x + saturating_shift_left(doubling_high_mul(x, (1 << 29) - doubling_high_mul(half, x)), 2)
    return saturating_shift_left(x, 1)
