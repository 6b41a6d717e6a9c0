"""What values each channel can take, for any input: an interval, in which a constant channel is one value.

A channel is a position of a tensor's last axis. Constants and intervals go through whatever only moves, picks or
averages values; through what rescales them only constants do, since a left shift may wrap in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arith.activation import dtype_range
from tessera.arith.fixed_point import INT32_MAX, Ints
from tessera.arith.multipliers import conv_multipliers
from tessera.interpreter.linear import requantize
from tessera.interpreter.run import evaluate
from tessera.ir.attrs import (
    CLAMPING,
    Add,
    AvgPool2D,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Lookup,
    MaxPool2D,
    Mean,
    MeanOfMeans,
    Mul,
    Pack,
    Pad,
    PRelu,
    Reshape,
    ResizeBilinear,
    ResizeNearest,
    Split,
    StridedSlice,
    Sub,
    Transpose,
)
from tessera.ir.graph import DType, Graph, Op, Tensor, TensorId
from tessera.kernels.operands import bias_of, centred_weights

Bools = NDArray[np.bool_]

_BYTES = (DType.INT8, DType.UINT8)
# Every element of the output is one of the input or a mean of some, so that it grows where they do.
_PICKING = (
    Reshape | Pad | Transpose | Concatenation | Split | StridedSlice | Pack | AvgPool2D | MaxPool2D | ResizeNearest
) | ResizeBilinear


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """[channels] least and greatest element of an 8-bit tensor, both reached or not."""

    low: Ints
    high: Ints

    @property
    def constant(self) -> Bools:
        return np.asarray(self.low == self.high)


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """The products of a convolution or fully connected layer.

    `weights` [output channels][kernel positions][input channels that an output channel reads], less their zero point;
    `border` [kernel positions]: where some output pixel sees the padding, which adds nothing to its sum.
    """

    weights: Ints
    border: Bools


def channels_of(t: Tensor) -> int:
    return t.shape[-1] if t.shape else 1


def channel_ranges(graph: Graph) -> dict[TensorId, Range]:
    """Of every 8-bit tensor that operators compute or read as data, the constants among them included."""
    ranges: dict[TensorId, Range] = {}
    for op in graph.ops:
        for i in data_operands(op):
            t = graph.tensor(i)
            if i not in ranges and t.dtype in _BYTES:
                ranges[i] = _full(t) if t.data is None else _hull([t.data])
        if all(graph.tensor(i).dtype in _BYTES for i in op.outputs):
            ranges.update(zip(op.outputs, _outputs(graph, op, ranges), strict=True))
    return ranges


def data_operands(op: Op) -> tuple[TensorId, ...]:
    """Without weights and bias."""
    return op.inputs[:1] if isinstance(op.attrs, Conv2D | DepthwiseConv2D | FullyConnected) else op.inputs


def taps(graph: Graph, op: Op) -> Taps:
    """Of a depthwise convolution each output channel reads one input channel; of a fully connected layer on a map of C
    channels, each column of weights reads channel `column % C`."""
    weights, x = centred_weights(graph, op), graph.tensor(op.inputs[0])
    match op.attrs:
        case Conv2D():
            return Taps(weights.reshape(weights.shape[0], -1, weights.shape[3]), _border(graph, op))
        case DepthwiseConv2D():
            return Taps(weights.reshape(-1, weights.shape[3]).T[:, :, None], _border(graph, op))
        case _:
            assert reads_whole_rows(graph, op)
            flat = weights.reshape(len(weights), -1, channels_of(x))
            return Taps(flat, np.zeros(flat.shape[1], np.bool_))


def reads_whole_rows(graph: Graph, op: Op) -> bool:
    """Each row that a fully connected layer multiplies is made of whole pixels: all channels, once or several times."""
    channels = channels_of(graph.tensor(op.inputs[0]))
    return channels > 0 and graph.tensor(op.inputs[1]).shape[1] % channels == 0


def _border(graph: Graph, op: Op) -> Bools:
    assert isinstance(op.attrs, Conv2D | DepthwiseConv2D)
    x, w, y = graph.tensor(op.inputs[0]), graph.tensor(op.inputs[1]), graph.tensor(op.outputs[0])
    outside = []
    for axis, stride, before in (
        (1, op.attrs.stride[0], op.attrs.padding[0]),
        (2, op.attrs.stride[1], op.attrs.padding[2]),
    ):
        first = np.arange(w.shape[axis]) - before  # what each tap reads for the first output pixel
        outside.append((first < 0) | (first + (y.shape[axis] - 1) * stride >= x.shape[axis]))
    return np.asarray(outside[0][:, None] | outside[1][None, :]).reshape(-1)


def _full(t: Tensor, clamp: tuple[int, int] | None = None) -> Range:
    low, high = clamp or dtype_range(t.dtype)
    return Range(np.full(channels_of(t), min(low, high), np.int64), np.full(channels_of(t), high, np.int64))


def _hull(values: Sequence[NDArray[np.generic]]) -> Range:
    flat = [v.astype(np.int64).reshape(-1, v.shape[-1] if v.shape else 1) for v in values]
    return Range(np.min([v.min(axis=0) for v in flat], axis=0), np.max([v.max(axis=0) for v in flat], axis=0))


def _outputs(graph: Graph, op: Op, ranges: Mapping[TensorId, Range]) -> list[Range]:
    outs = [graph.tensor(i) for i in op.outputs]
    anything = [_full(t, op.attrs.clamp if isinstance(op.attrs, CLAMPING) else None) for t in outs]
    operands = [ranges.get(i) for i in data_operands(op)]
    known = [r for r in operands if r is not None]
    if len(known) < len(operands):  # float32
        return anything
    match op.attrs:
        case Conv2D() | DepthwiseConv2D():
            return [_weighted(graph, op, known[0], anything[0])]
        case FullyConnected():
            return [_weighted(graph, op, known[0], anything[0])] if reads_whole_rows(graph, op) else anything
        case Lookup(table=table):
            return [_looked_up(graph, op, table, known[0])]
        case Add() | Sub() | Mul() | PRelu() | Mean() | MeanOfMeans() if any(r.constant.any() for r in known):
            return [_rescaled(graph, op, known, anything[0])]
        case _ if isinstance(op.attrs, _PICKING):
            return _picked(graph, op, known)
        case _:
            return anything


def _weighted(graph: Graph, op: Op, x: Range, anything: Range) -> Range:
    """The extremes of the accumulators by interval arithmetic; requantization keeps their order."""
    assert isinstance(op.attrs, Conv2D | DepthwiseConv2D | FullyConnected)
    ins, y, seen = [graph.tensor(i) for i in op.inputs], graph.tensor(op.outputs[0]), taps(graph, op)
    low, high = x.low - ins[0].q.zero_point, x.high - ins[0].q.zero_point
    if isinstance(op.attrs, DepthwiseConv2D):
        low, high = (np.repeat(v, op.attrs.depth_multiplier)[:, None, None] for v in (low, high))
    positive, negative = np.maximum(seen.weights, 0), np.minimum(seen.weights, 0)
    least, most = positive * low + negative * high, positive * high + negative * low
    least[:, seen.border] = np.minimum(least[:, seen.border], 0)
    most[:, seen.border] = np.maximum(most[:, seen.border], 0)
    bias = bias_of(graph, op)
    extremes = [part.sum(axis=(1, 2)) + (0 if bias is None else bias.astype(np.int64)) for part in (least, most)]
    bound = np.abs(extremes).max(axis=0)
    if isinstance(op.attrs, Conv2D | DepthwiseConv2D):
        _, shift = conv_multipliers(ins[0].q, ins[1].q, y.q, len(bound), op.attrs.float32_product)
        bound = bound << np.maximum(shift, 0)
    narrow = [requantize(op.attrs, ins, y, acc).astype(np.int64) for acc in extremes]
    fits = bound <= INT32_MAX
    return Range(np.where(fits, narrow[0], anything.low), np.where(fits, narrow[1], anything.high))


def _looked_up(graph: Graph, op: Op, table: NDArray[np.uint8], x: Range) -> Range:
    kind = graph.tensor(op.inputs[0]).dtype.numpy
    values = table.view(graph.tensor(op.outputs[0]).dtype.numpy)
    reached = [values[np.arange(a, b + 1).astype(kind).view(np.uint8)] for a, b in zip(x.low, x.high, strict=True)]
    return Range(np.array([int(v.min()) for v in reached]), np.array([int(v.max()) for v in reached]))


def _picked(graph: Graph, op: Op, operands: Sequence[Range]) -> list[Range]:
    lows, highs = (_on_maps(graph, op, [r.low for r in operands]), _on_maps(graph, op, [r.high for r in operands]))
    return [_hull([low, high]) for low, high in zip(lows, highs, strict=True)]


def _rescaled(graph: Graph, op: Op, operands: Sequence[Range], anything: Range) -> Range:
    """Constant where all operands are; a product also where one of them is zero."""
    constant = _and([r.constant for r in operands])
    if isinstance(op.attrs, Mul):
        zero = [r.constant & (r.low == graph.tensor(i).q.zero_point) for i, r in zip(op.inputs, operands, strict=True)]
        constant = constant | zero[0] | zero[1]
    if isinstance(op.attrs, Mean) and len(graph.tensor(op.inputs[0]).shape) - 1 in op.attrs.axes:
        constant = np.atleast_1d(constant.all())
    (value,) = _on_maps(graph, op, [r.low for r in operands])
    found = _hull([value])
    constant = constant & found.constant
    return Range(np.where(constant, found.low, anything.low), np.where(constant, found.high, anything.high))


def _and(masks: Sequence[Bools]) -> Bools:
    result = masks[0]
    for mask in masks[1:]:
        result = result & mask
    return result


def _on_maps(graph: Graph, op: Op, channels: Sequence[Ints]) -> list[NDArray[np.generic]]:
    """The operator on maps that hold the same at each pixel."""
    values: list[NDArray[np.generic] | None] = [None] * len(graph.tensors)
    for i, row in zip(op.inputs, channels, strict=True):
        t = graph.tensor(i)
        values[i] = np.broadcast_to((row if t.shape else row[0]).astype(t.dtype.numpy), t.shape)
    return list(evaluate(graph, op, values))
