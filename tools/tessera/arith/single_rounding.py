"""FULLY_CONNECTED's rounding as integers.

LiteRT's reference computes round_half_away(acc * real) in double. The target has no double, so we look for (m, s) with

    (acc * m + (1 << (s - 1)) - (acc * m < 0)) >> s     for every |acc| <= acc_bound, in int64

equal to it wherever the result lies in the output's range. Both sides are odd and monotone in acc, so they are equal
when they take each value c = 1 .. 255 from the same least acc, n(c). That bounds m from both sides, and any m between
the bounds is a proof.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tessera.arith.fixed_point import Ints
from tessera.errors import UnsupportedModel

_PRODUCT_BITS = 62  # |acc * m| stays below 2^62
_MOST_SHIFT = 53  # (2 * 256 - 1) << (s - 1) stays below 2^62
_Reals = NDArray[np.float64]


def single_rounding(real: ArrayLike, acc_bound: ArrayLike, zero_point: int) -> tuple[Ints, Ints]:
    """(m, s) per channel, with m below 2^31 where such a one exists. `zero_point` is that of an int8 output.

    Raises UnsupportedModel where no pair exists, which takes scales that put exact ties on the double's last bit.
    """
    reals, bounds = np.broadcast_arrays(
        np.atleast_1d(np.asarray(real, np.float64)), np.atleast_1d(np.asarray(acc_bound, np.int64))
    )
    assert np.all(reals >= 0)
    assert np.all(bounds >= 0)
    assert -128 <= zero_point <= 127
    if np.any(bounds > (1 << 31) - 1) or not np.all(np.isfinite(reals)):
        raise UnsupportedModel(f"accumulators up to {bounds.max()} do not fit in 32 bits")
    values = np.arange(1, max(127 - zero_point, zero_point + 128) + 1, dtype=np.int64)
    least = least_accumulators(reals, bounds, values)
    narrow_m, narrow_s, found = _solve(reals, bounds, values, least, 31)
    wide_m, wide_s, found_wide = _solve(reals, bounds, values, least, _PRODUCT_BITS)
    if not np.all(found | found_wide):
        c = int(np.argmin(found | found_wide))
        raise UnsupportedModel(
            f"no integer multiplier equals the double {float(reals[c])!r} for all accumulators up to {bounds[c]} "
            f"(channel {c}); change the output scale by one part in a million"
        )
    return np.where(found, narrow_m, wide_m), np.where(found, narrow_s, wide_s)


def least_accumulators(real: _Reals, bound: Ints, values: Ints) -> Ints:
    """[channels, values] least n in [1, bound] with round_half_away(double(n) * real) >= value, or bound + 1."""
    ties, limit = values - 0.5, bound[:, None] + 1
    with np.errstate(divide="ignore", over="ignore"):
        guess = np.minimum(ties / real[:, None], limit.astype(np.float64)).astype(np.int64)
    candidates = guess[..., None] + np.arange(-2, 3)
    reached = (candidates.astype(np.float64) * real[:, None, None] >= ties[:, None]) & (candidates > 0)
    least = candidates[..., 0] + np.argmax(reached, axis=-1)
    least = np.where(reached.any(axis=-1), least, limit)
    assert not np.any(reached[..., 0]), "the search window is too narrow"
    result: Ints = np.minimum(least, limit)
    return result


def _solve(real: _Reals, bound: Ints, values: Ints, least: Ints, bits: int) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """(m, s, found) with m < 2^bits and |acc * m| < 2^62, the largest such s."""
    room = np.minimum(bits, _PRODUCT_BITS - np.ceil(np.log2(np.maximum(bound, 1) + 1)))  # log2 of the largest m
    exponent = np.frexp(real)[1]  # real < 2^exponent
    s = np.where(real > 0, np.minimum(room - exponent, _MOST_SHIFT), 1).astype(np.int64)
    usable, s = s >= 1, np.maximum(s, 1)
    half = (2 * values - 1) << (s[:, None] - 1)  # the tie below each value, times 2^s
    reachable = least <= bound[:, None]
    lower = np.where(reachable, -(-half // least), 0).max(axis=1)
    below = np.minimum(least - 1, bound[:, None])  # the greatest acc that must stay below the value
    most = (np.int64(1) << room.astype(np.int64)) - 1
    upper = np.where(below > 0, -(-half // np.maximum(below, 1)) - 1, most[:, None]).min(axis=1)
    upper = np.minimum(upper, most)
    nearest = np.rint(np.ldexp(real, s)).astype(np.int64)
    return np.clip(nearest, lower, np.maximum(upper, lower)), s, usable & (lower <= upper)


def accumulator_bound(weights: ArrayLike, bias: ArrayLike, low: int, high: int) -> Ints:
    """[O] the largest |sum(x * w) + bias| for weights [O, K] (zero point subtracted) and x in [low, high]."""
    w = np.asarray(weights, np.int64)
    most = np.maximum(w * low, w * high).sum(axis=1) + bias
    least = np.minimum(w * low, w * high).sum(axis=1) + bias
    result: Ints = np.maximum(np.abs(most), np.abs(least))
    return result
