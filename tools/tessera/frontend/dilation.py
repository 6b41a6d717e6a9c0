"""Dilated kernels as plain ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.ir.attrs import Pair
from tessera.ir.graph import Tensor


def fill_gaps(weights: Tensor, dilation: Pair) -> Tensor:
    """[O, KH, KW, I] with weights that count nothing, zero points, in the gaps between its rows and columns: the same
    sums from a kernel that every convolution can take. MACs and weights grow with it."""
    assert weights.data is not None
    out, height, width, depth = weights.shape
    down, across = dilation
    shape = (out, (height - 1) * down + 1, (width - 1) * across + 1, depth)
    data = np.full(shape, weights.q.zero_point, weights.data.dtype)
    data[:, ::down, ::across] = weights.data
    return replace(weights, shape=shape, data=data, source=None)
