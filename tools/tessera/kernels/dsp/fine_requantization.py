"""Two-rounding requantization of 256 times the accumulator, as firmware/lib/tessera/kernels/dsp/gemm_s8.S does it."""

from __future__ import annotations

import numpy as np

from tessera.arith.fixed_point import Ints, rescale
from tessera.ir.attrs import Clamp
from tessera.kernels.dsp.requantization import FULL

ACC_BITS = 24
FINE = 7  # bits below the reference's first rounding that the product of 256 * acc and the multiplier has


def fine_requantization(
    acc_range: tuple[Ints, Ints], multipliers: Ints, shifts: Ints, zero_point: int, clamp: Clamp
) -> Ints | None:
    """[channels, 3] multiplier, k and shift to the right; None where a channel has no such form.

    A channel whose output is the same for every accumulator that can occur gets multiplier 0, which suits any
    accumulator and any of the reference's shifts.
    """
    low, high = acc_range
    base = 0 if clamp == FULL else clamp[0]
    right = np.maximum(-shifts, 0)
    # without a second rounding there is no tie below zero to correct, which matters where the clamp does not hide it
    least_shift = 0 if clamp[0] >= zero_point else 1
    two_halves = (np.left_shift(1, right + FINE) >> 1) * (right > 0) + (1 << (FINE - 1))
    k = np.left_shift(zero_point - base, right + FINE) + two_halves
    least, most = (k + (acc * multipliers >> (31 - FINE)) for acc in acc_range)
    limit = 1 << (ACC_BITS - 1)
    fits = (-shifts >= least_shift) & (low >= -limit) & (high < limit)
    fits &= (least - (1 << FINE) >= -(1 << 31)) & (most < 1 << 31)
    ends = [np.clip(zero_point + rescale(acc, multipliers, shifts), *clamp) for acc in acc_range]
    constant = (shifts <= 0) & (ends[0] == ends[1])
    if not np.all(fits | constant):
        return None
    return np.stack(
        [
            np.where(constant, 0, multipliers),
            np.where(constant, 2 * (ends[0] - base) + 1 << FINE, k),
            np.where(constant, FINE + 1, right + FINE),
        ],
        axis=1,
    )
