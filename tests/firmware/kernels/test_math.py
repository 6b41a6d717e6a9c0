"""tess_math.h against tessera.arith on ties, extremes and random values."""

from __future__ import annotations

import ctypes
import subprocess

import numpy as np
import pytest
from numpy.typing import NDArray

from tessera.arith.fixed_point import doubling_high_mul, rescale, rounding_shift_right, saturating_shift_left
from tessera.codegen.host import FLAGS

SOURCE = """
#include "tessera/tess_math.h"
#define EACH(name, expression) \\
    void name(const int32_t *a, const int32_t *b, const int32_t *c, int32_t *out, int32_t count); \\
    void name(const int32_t *a, const int32_t *b, const int32_t *c, int32_t *out, int32_t count) \\
    { \\
        for (int32_t i = 0; i < count; ++i) { \\
            (void)c[i]; \\
            out[i] = expression; \\
        } \\
    }
EACH(rescale, tess_rescale(a[i], b[i], c[i]))
EACH(high_mul, tess_doubling_high_mul(a[i], b[i]))
EACH(shift_right, tess_rounding_shift_right(a[i], b[i]))
EACH(shift_left, tess_saturating_shift_left(a[i], b[i]))
"""

Ints = NDArray[np.int64]
EXTREMES = np.array([-(1 << 31), -(1 << 31) + 1, -(1 << 30), -3, -2, -1, 0, 1, 2, 3, 5, 1 << 30, (1 << 31) - 1])


@pytest.fixture(scope="module")
def math(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("math")
    (folder / "math.c").write_text(SOURCE)
    subprocess.run(
        ["gcc", *FLAGS, "-shared", "-fPIC", str(folder / "math.c"), "-o", str(folder / "math.so")], check=True
    )
    return ctypes.CDLL(str(folder / "math.so"))


def call(math: ctypes.CDLL, name: str, *columns: Ints) -> list[int]:
    arrays = [np.ascontiguousarray(c, np.int32) for c in columns]
    arrays += [np.zeros_like(arrays[0])] * (3 - len(arrays))
    out = np.empty_like(arrays[0])
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*arrays, out)]
    getattr(math, name)(*pointers, ctypes.c_int32(out.size))
    return out.tolist()


def pairs(a: Ints, b: Ints) -> tuple[Ints, Ints]:
    return np.repeat(a, b.size), np.tile(b, a.size)


def values(count: int) -> Ints:
    """Extremes, small numbers, powers of two and their neighbours, random ones."""
    powers = 1 << np.arange(31)
    near = np.concatenate([s * powers + d for s in (1, -1) for d in (-1, 0, 1)])
    noise = np.random.default_rng(count).integers(-(1 << 31), 1 << 31, count)
    return np.unique(np.clip(np.concatenate([EXTREMES, near, noise]), -(1 << 31), (1 << 31) - 1))


def test_doubling_high_mul(math: ctypes.CDLL) -> None:
    a, b = pairs(values(300), values(300)[1:])  # not both INT32_MIN
    assert call(math, "high_mul", a, b) == doubling_high_mul(a, b).tolist()


def test_rounding_shift_right(math: ctypes.CDLL) -> None:
    a, b = pairs(values(300), np.arange(32))
    assert call(math, "shift_right", a, b) == rounding_shift_right(a, b).tolist()


@pytest.mark.parametrize("bits", range(32))
def test_saturating_shift_left(math: ctypes.CDLL, bits: int) -> None:
    a = values(300)
    assert call(math, "shift_left", a, np.full_like(a, bits)) == saturating_shift_left(a, bits).tolist()


@pytest.mark.parametrize("multiplier", [0, 1 << 30, (1 << 30) + 1, 1518500250, (1 << 31) - 1])
def test_rescale(math: ctypes.CDLL, multiplier: int) -> None:
    x, shift = pairs(values(300), np.arange(-31, 31))
    columns = x, np.full_like(x, multiplier), shift
    assert call(math, "rescale", *columns) == rescale(*columns).tolist()
