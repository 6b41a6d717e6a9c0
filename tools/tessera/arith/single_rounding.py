"""FULLY_CONNECTED's rounding as integers.

LiteRT's reference computes round_half_away(acc * real) in double. The target has no double, so we look for (m, s) with

    (acc * m + (1 << (s - 1)) - (acc * m < 0)) >> s     for every accumulator that can occur, in int64

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
_Reals = NDArray[np.float64]
_Range = tuple[Ints, Ints]


def single_rounding(
    real: ArrayLike,
    acc_bound: ArrayLike,
    zero_point: int,
    *,
    acc_range: tuple[ArrayLike, ArrayLike] | None = None,
    avoid_ties: bool = False,
) -> tuple[Ints, Ints]:
    """(m, s) per channel, with m below 2^31 where such a one exists. `zero_point` is that of an int8 output.

    |acc| <= acc_bound, and within `acc_range` = (low, high) where that is given: a large bias makes it much narrower.
    `avoid_ties`: no acc * m lies half way between two values of the output, so that the sign does not matter there.
    Raises UnsupportedModel where no pair exists, which takes scales that put exact ties on the double's last bit.
    """
    reals = np.atleast_1d(np.asarray(real, np.float64))
    bounds = np.broadcast_to(np.asarray(acc_bound, np.int64), reals.shape)
    assert np.all(reals >= 0)
    assert np.all(bounds >= 0)
    assert -128 <= zero_point <= 127
    if np.any(bounds > (1 << 31) - 1) or not np.all(np.isfinite(reals)):
        raise UnsupportedModel(f"accumulators up to {bounds.max()} do not fit in 32 bits; use a larger weight scale")
    low, high = (-bounds, bounds) if acc_range is None else (np.asarray(a, np.int64) for a in acc_range)
    # Of the values that no accumulator reaches, the first one binds most.
    reach = np.ceil(np.minimum(bounds * reals, 256.0)).astype(np.int64) + 1
    all_values = np.arange(1, max(127 - zero_point, zero_point + 128) + 1, dtype=np.int64)
    values = np.minimum(all_values, reach[:, None])
    least = least_accumulators(reals, bounds, values)
    # |acc| of the positive and of the negative accumulators
    ranges = (np.maximum(low, 1), high), (np.maximum(-high, 1), -low)
    narrow_m, narrow_s, found = _solve(reals, bounds, values, least, ranges, 31, avoid_ties)
    wide_m, wide_s, found_wide = _solve(reals, bounds, values, least, ranges, _PRODUCT_BITS, avoid_ties)
    if not np.all(found | found_wide):
        c = int(np.argmin(found | found_wide))
        raise UnsupportedModel(
            f"no integer multiplier equals the double {float(reals[c])!r} for all accumulators up to {bounds[c]} "
            f"(channel {c}); change the output scale by one part in a million"
        )
    return np.where(found, narrow_m, wide_m), np.where(found, narrow_s, wide_s)


def least_accumulators(real: _Reals, bound: Ints, values: Ints) -> Ints:
    """Least n in [1, bound] with round_half_away(double(n) * real) >= value, or bound + 1; as values, [channels, n]."""
    ties, limit = values - 0.5, bound[:, None] + 1
    with np.errstate(divide="ignore", over="ignore"):
        guess = np.minimum(ties / real[:, None], limit.astype(np.float64)).astype(np.int64)
    candidates = guess[..., None] + np.arange(-2, 3)
    reached = (candidates.astype(np.float64) * real[:, None, None] >= ties[..., None]) & (candidates > 0)
    least = candidates[..., 0] + np.argmax(reached, axis=-1)
    least = np.where(reached.any(axis=-1), least, limit)
    assert not np.any(reached[..., 0]), "the search window is too narrow"
    result: Ints = np.minimum(least, limit)
    return result


def _solve(
    real: _Reals, bound: Ints, values: Ints, least: Ints, ranges: tuple[_Range, _Range], bits: int, avoid_ties: bool
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """(m, s, found) with m < 2^bits and |acc * m| < 2^62, the largest such s."""
    room = np.minimum(bits, _PRODUCT_BITS - np.ceil(np.log2(np.maximum(bound, 1) + 1))).astype(np.int64)  # m < 2^room
    exponent = np.frexp(real)[1]  # real < 2^exponent
    most_shift = 63 - np.frexp(2.0 * values.max(axis=1) - 1)[1]  # the ties below stay under 2^62
    s = np.where(real > 0, np.minimum(room - exponent, most_shift), 1).astype(np.int64)
    usable, s = s >= 1, np.maximum(s, 1)
    half = (2 * values - 1) << (s[:, None] - 1)  # the tie below each value, times 2^s
    lower, upper = np.zeros_like(bound), (np.int64(1) << room) - 1
    for first, last in ranges:
        # the least and the greatest accumulator of the range on either side of the tie
        above = np.maximum(least, first[:, None])
        below = np.minimum(least - 1, last[:, None])
        exists = above <= last[:, None]
        bottoms = half // above + 1 if avoid_ties else -(-half // above)
        lower = np.maximum(lower, np.where(exists, bottoms, 0).max(axis=1))
        exists = below >= first[:, None]
        tops = np.where(exists, -(-half // np.maximum(below, 1)) - 1, upper[:, None])
        upper = np.minimum(upper, tops.min(axis=1))
    nearest = np.rint(np.ldexp(real, s)).astype(np.int64)
    return np.clip(nearest, lower, np.maximum(upper, lower)), s, usable & (lower <= upper)


def accumulator_range(weights: ArrayLike, bias: ArrayLike, low: int, high: int) -> tuple[Ints, Ints]:
    """[O] least and greatest sum(x * w) + bias for weights [O, K] (zero point subtracted) and x in [low, high]."""
    w = np.asarray(weights, np.int64)
    least: Ints = np.minimum(w * low, w * high).sum(axis=1) + np.asarray(bias, np.int64)
    most: Ints = np.maximum(w * low, w * high).sum(axis=1) + np.asarray(bias, np.int64)
    return least, most


def accumulator_bound(weights: ArrayLike, bias: ArrayLike, low: int, high: int) -> Ints:
    """[O] the largest absolute value in `accumulator_range`."""
    least, most = accumulator_range(weights, bias, low, high)
    return np.maximum(np.abs(least), np.abs(most))
