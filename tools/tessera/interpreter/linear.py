"""Operators that sum products, in exact int32 accumulators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.arith.fixed_point import Ints, rescale, round_half_away
from tessera.arith.multipliers import conv_multipliers, fully_connected_reals
from tessera.interpreter.store import store
from tessera.ir.attrs import Conv2D, DepthwiseConv2D, FullyConnected, Pair
from tessera.ir.graph import Tensor

Array = NDArray[Any]


def conv2d(attrs: Conv2D, ins: Sequence[Tensor], outs: Sequence[Tensor], v: Sequence[Array]) -> Array:
    x, w, y = ins[0], ins[1], outs[0]
    weights = v[1].astype(np.int32) - w.q.zero_point
    channels, k_h, k_w, _ = weights.shape
    image = _padded(v[0], x, attrs)
    size = y.shape[1], y.shape[2]
    taps = [_tap(image, attrs, i, j, size) for i in range(k_h) for j in range(k_w)]
    columns = taps[0] if len(taps) == 1 else np.concatenate(taps, axis=3)
    acc = matmul_exact(columns, weights.reshape(channels, -1).T) + _bias(v)
    return requantize(attrs, ins, y, acc)


def depthwise_conv2d(
    attrs: DepthwiseConv2D, ins: Sequence[Tensor], outs: Sequence[Tensor], v: Sequence[Array]
) -> Array:
    x, w, y = ins[0], ins[1], outs[0]
    weights = v[1].astype(np.int32)[0] - w.q.zero_point
    k_h, k_w, channels = weights.shape
    image = np.repeat(_padded(v[0], x, attrs), attrs.depth_multiplier, axis=3)
    size = y.shape[1], y.shape[2]
    acc = np.zeros((1, *size, channels), np.int32)
    for i in range(k_h):
        for j in range(k_w):
            acc += _tap(image, attrs, i, j, size) * weights[i, j]
    return requantize(attrs, ins, y, acc + _bias(v))


def fully_connected(attrs: FullyConnected, ins: Sequence[Tensor], outs: Sequence[Tensor], v: Sequence[Array]) -> Array:
    x, w, y = ins[0], ins[1], outs[0]
    weights = v[1].astype(np.int32) - w.q.zero_point
    rows = v[0].astype(np.int32).reshape(-1, weights.shape[1]) - x.q.zero_point
    acc = matmul_exact(rows, weights.T) + _bias(v)
    return requantize(attrs, ins, y, acc).reshape(y.shape)


def requantize(attrs: Conv2D | DepthwiseConv2D | FullyConnected, ins: Sequence[Tensor], y: Tensor, acc: Ints) -> Array:
    """[..., output channels] accumulators, bias included, as elements of y."""
    x, w, channels = ins[0], ins[1], acc.shape[-1]
    if not isinstance(attrs, FullyConnected):
        multipliers = conv_multipliers(x.q, w.q, y.q, channels, attrs.float32_product)
        return store(rescale(acc, *multipliers), y, attrs.clamp)
    real = fully_connected_reals(x.q, w.q, y.q, channels)
    with np.errstate(over="ignore"):
        result = np.clip(round_half_away(acc * real), -(1 << 40), 1 << 40).astype(np.int64)
    return store(result, y, attrs.clamp)


def matmul_exact(a: Array, b: Array) -> Ints:
    """Integer matrix product by BLAS: float32 holds every partial sum below 2^24, float64 every one below 2^53."""
    bound = a.shape[-1] * max(1, int(np.abs(a).max(initial=0))) * max(1, int(np.abs(b).max(initial=0)))
    kind = np.float32 if bound < 1 << 24 else np.float64
    result: Ints = (a.astype(kind) @ b.astype(kind)).astype(np.int64)
    return result


def _padded(value: Array, x: Tensor, attrs: Conv2D | DepthwiseConv2D) -> Array:
    """Input minus its zero point, with a border of zeros."""
    top, bottom, left, right = attrs.padding
    return np.pad(value.astype(np.int32) - x.q.zero_point, ((0, 0), (top, bottom), (left, right), (0, 0)))


def _tap(image: Array, attrs: Conv2D | DepthwiseConv2D, i: int, j: int, size: Pair) -> Array:
    """The pixels that kernel tap (i, j) sees, one per output pixel."""
    rows = slice(i, i + (size[0] - 1) * attrs.stride[0] + 1, attrs.stride[0])
    cols = slice(j, j + (size[1] - 1) * attrs.stride[1] + 1, attrs.stride[1])
    return image[:, rows, cols]


def _bias(v: Sequence[Array]) -> Array:
    return v[2].astype(np.int64).reshape(-1) if len(v) > 2 else np.zeros(1, np.int64)
