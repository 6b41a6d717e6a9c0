"""Two-rounding requantization in four or five instructions a value: firmware/lib/tessera/kernels/dsp/gemm_s8.S."""

from __future__ import annotations

import numpy as np

from tessera.arith.fixed_point import Ints, doubling_high_mul, rescale
from tessera.ir.attrs import Clamp

FULL: Clamp = (-128, 127)


def packed_requantization(
    acc_range: tuple[Ints, Ints], multipliers: Ints, shifts: Ints, zero_point: int, clamp: Clamp, acc_bits: int
) -> Ints | None:
    """[channels, 3] multiplier, k and shift to the right; None where a channel has no such form.

    |acc| < 2^(acc_bits - 1) is what the kernel can hold. A channel whose output is the same for every accumulator that
    can occur gets multiplier 0, which suits any accumulator and any of the reference's shifts.
    """
    low, high = acc_range
    offset = zero_point if clamp == FULL else zero_point - clamp[0]
    right = -shifts
    # a shift by 0 has no tie below zero to correct; kernels that do so all the same hide it behind this clamp
    least_shift = 0 if clamp[0] >= zero_point else 1
    usable = np.maximum(right, least_shift)
    half = np.left_shift(1, usable) >> 1
    k = np.left_shift(offset, usable) + half
    least, most = k - 1 + doubling_high_mul(low, multipliers), k + doubling_high_mul(high, multipliers)
    limit = 1 << (acc_bits - 1)
    fits = (right >= least_shift) & (low >= -limit) & (high < limit) & (least >= -(1 << 31)) & (most < 1 << 31)
    ends = [np.clip(zero_point + rescale(acc, multipliers, shifts), *clamp) for acc in acc_range]
    constant = (right >= 0) & (ends[0] == ends[1])
    if not np.all(fits | constant):
        return None
    value = ends[0] - (0 if clamp == FULL else clamp[0])
    return np.stack(
        [
            np.where(constant, 0, multipliers),
            np.where(constant, 2 * value + 1, k),
            np.where(constant, 1, usable),
        ],
        axis=1,
    )
