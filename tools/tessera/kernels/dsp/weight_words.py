"""int8 weights as words of two int16, four weights a word (firmware/lib/tessera/kernels/dsp/gemm_s8.S says why)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tessera.arith.fixed_point import Ints, wrap32

Words = NDArray[np.int64]  # each in the range of an int32


def tap_order(rows: int, row_taps: int) -> Ints:
    """[4 * words] which of rows * row_taps weights stand where in a window's words, -1: none.

    Each row is padded to whole words. Four values or more end with the row's last four, so that nothing behind the row
    is read; those that the word before has are not taken twice.
    """
    whole = row_taps // 4 * 4
    row = np.arange(whole)
    if row_taps % 4:
        last = np.arange(max(row_taps, 4) - 4, max(row_taps, 4))
        row = np.concatenate([row, np.where((last >= whole) & (last < row_taps), last, -1)])
    offsets = row_taps * np.arange(rows)[:, None]
    return np.where(row >= 0, row + offsets, -1).reshape(-1)


def weight_words(weights: Ints, order: Ints) -> tuple[Words, Ints] | None:
    """([channels, words], [channels, words] sums of the weights w1 and w3 of each) of weights [channels, taps]; None
    where a pair has no such form: (-128, negative), or values that are no int8."""
    taps = np.where(order >= 0, weights[:, order], 0).reshape(len(weights), -1, 4)
    halves = 256 * taps[:, :, 0::2] + taps[:, :, 1::2]
    if np.any(np.abs(taps * 2 + 1) > 255) or np.any(halves < -(1 << 15)):
        return None
    return wrap32((halves[:, :, 0] & 0xFFFF) + (halves[:, :, 1] << 16)), taps[:, :, 1::2].sum(axis=2)
