"""weight_words: the products that the matrix kernels make of them, emulated, are those of the weights."""

from __future__ import annotations

import numpy as np
import pytest

from tessera.arith.fixed_point import Ints
from tessera.kernels.dsp.weight_words import tap_order, weight_words


def halves(words: Ints) -> tuple[Ints, Ints]:
    """(low, high) as int16."""
    return ((words & 0xFFFF) + 0x8000) % 0x10000 - 0x8000, ((words >> 16 & 0xFFFF) + 0x8000) % 0x10000 - 0x8000


def sxtb16(words: Ints) -> tuple[Ints, Ints]:
    low, high = ((words >> s & 0xFF).astype(np.int64) for s in (0, 16))
    return (low + 0x80) % 0x100 - 0x80, (high + 0x80) % 0x100 - 0x80


def products(words: Ints, block: Ints) -> Ints:
    """[channels] SMLAD(V, X0) + SMLAD(SXTB16(V), X1) summed over the bytes [words, 4] of a block."""
    b = block.astype(np.int64)
    x0, x1 = (b[:, 0], b[:, 2]), (256 * b[:, 1] + 127 - b[:, 0], 256 * b[:, 3] + 127 - b[:, 2])
    v, s = halves(words), sxtb16(words)
    total: Ints = sum((v[i] * x0[i] + s[i] * x1[i]).sum(axis=1) for i in range(2))
    return total


@pytest.mark.parametrize(("rows", "taps"), [(1, 1), (1, 4), (1, 17), (3, 3), (3, 9), (3, 48), (2, 5), (10, 4), (5, 7)])
def test_sums_of_products(rows: int, taps: int) -> None:
    rng = np.random.default_rng(rows * 100 + taps)
    weights, x = rng.integers(-127, 128, (6, rows * taps)), rng.integers(-128, 128, rows * taps)
    order = tap_order(rows, taps)
    found = weight_words(weights, order)
    assert found is not None
    words, odd_sums = found
    # what the kernel reads at a place without a weight does not matter
    block = np.where(order >= 0, x[order], rng.integers(-128, 128, order.shape)).reshape(-1, 4)
    assert np.array_equal(products(words, block) - 127 * odd_sums.sum(axis=1), 256 * weights @ x)


@pytest.mark.parametrize("taps", range(1, 20))
def test_a_row_is_read_from_its_first_to_its_last_byte(taps: int) -> None:
    order = tap_order(1, taps)
    assert sorted(order[order >= 0]) == list(range(taps))
    for word, places in enumerate(order.reshape(-1, 4)):
        first = min(4 * word, max(taps - 4, 0))  # where the kernel reads this word
        assert all(p in (-1, first + i) for i, p in enumerate(places))


@pytest.mark.parametrize("pair", [(-128, -1), (-129, 0), (128, 0)])
def test_what_has_no_words(pair: tuple[int, int]) -> None:
    assert weight_words(np.array([[5, 5, *pair]]), tap_order(1, 4)) is None
    assert weight_words(np.array([[5, *pair, 5]]), tap_order(1, 4)) is not None or pair != (-128, -1)


def test_the_least_pair() -> None:
    assert weight_words(np.array([[-128, 0, -127, -128]]), tap_order(1, 4)) is not None
