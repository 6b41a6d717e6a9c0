"""Pools, means and resizes of feature maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.arith.activation import dtype_range
from tessera.arith.fixed_point import Ints, rescale, truncating_div
from tessera.arith.multipliers import (
    BilinearAxis,
    mean_multiplier,
    resize_bilinear_axis,
    resize_nearest_indices,
)
from tessera.interpreter.store import centred, store
from tessera.ir.attrs import AvgPool2D, MaxPool2D, Mean, MeanOfMeans, ResizeBilinear, ResizeNearest
from tessera.ir.graph import Quant, Tensor

Array = NDArray[Any]
Tensors = Sequence[Tensor]
Values = Sequence[Array]


def avg_pool2d(attrs: AvgPool2D, _: Tensors, outs: Tensors, v: Values) -> Array:
    """Over the pixels inside the map; scales are taken as equal."""
    total = np.sum(list(_windows(attrs, v[0].astype(np.int64) - attrs.raw_zero, outs[0], 0)), axis=0)
    count = np.sum(list(_windows(attrs, np.ones((1, *v[0].shape[1:3], 1), np.int64), outs[0], 0)), axis=0)
    mean = truncating_div(total + np.where(total > 0, 1, -1) * (count // 2), count) + attrs.raw_zero
    return np.clip(mean, *attrs.clamp).astype(v[0].dtype)


def max_pool2d(attrs: MaxPool2D, _: Tensors, outs: Tensors, v: Values) -> Array:
    least = dtype_range(outs[0].dtype)[0]
    most: Array = np.maximum.reduce(list(_windows(attrs, v[0], outs[0], least)))
    return np.clip(most, *attrs.clamp).astype(v[0].dtype)


def _windows(attrs: AvgPool2D | MaxPool2D, value: Array, out: Tensor, fill: int) -> Iterator[Array]:
    top, bottom, left, right = attrs.padding
    image = np.pad(value, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    (s_h, s_w), (_, rows, cols, _) = attrs.stride, out.shape
    for i in range(attrs.kernel[0]):
        for j in range(attrs.kernel[1]):
            yield image[:, i : i + (rows - 1) * s_h + 1 : s_h, j : j + (cols - 1) * s_w + 1 : s_w]


def mean(attrs: Mean, ins: Tensors, outs: Tensors, v: Values) -> Array:
    count = int(np.prod([v[0].shape[i] for i in attrs.axes]))
    total: Ints = centred(v[0], ins[0]).sum(axis=attrs.axes, keepdims=attrs.keep_dims)
    multiplier = mean_multiplier(ins[0].q, outs[0].q, count)
    return store(rescale(total, *multiplier), outs[0], dtype_range(outs[0].dtype))


def mean_of_means(attrs: MeanOfMeans, ins: Tensors, outs: Tensors, v: Values) -> Array:
    _, height, _, channels = ins[0].shape
    quant = Quant(np.array([attrs.row_scale], np.float32), attrs.row_zero_point)
    rows = [Tensor("", (1, height, 1, channels), outs[0].dtype, quant)]
    return mean(Mean((1,), True), rows, outs, [mean(Mean((2,), True), ins, rows, v)])


def resize_nearest(attrs: ResizeNearest, ins: Tensors, outs: Tensors, v: Values) -> Array:
    value = v[0]
    for axis in (1, 2):
        n, size = ins[0].shape[axis], outs[0].shape[axis]
        index = resize_nearest_indices(n, size, attrs.align_corners, attrs.half_pixel_centers)
        value = value.take(index, axis=axis)
    return value


def resize_bilinear(attrs: ResizeBilinear, ins: Tensors, outs: Tensors, v: Values) -> Array:
    """Q20 sums, rounded half away from zero."""

    def axis(i: int) -> BilinearAxis:
        return resize_bilinear_axis(ins[0].shape[i], outs[0].shape[i], attrs.align_corners, attrs.half_pixel_centers)

    x, rows, cols = v[0].astype(np.int64), axis(1), axis(2)
    total: Ints = np.zeros(outs[0].shape, np.int64)
    for y_index, y_weight in ((rows.low, rows.weight_low), (rows.high, rows.weight_high)):
        row = x[:, y_index] * y_weight[:, None, None]
        total += row[:, :, cols.low] * cols.weight_low[:, None] + row[:, :, cols.high] * cols.weight_high[:, None]
    half = np.where(total > 0, 1 << 19, -(1 << 19))
    return truncating_div(total + half, 1 << 20).astype(v[0].dtype)
