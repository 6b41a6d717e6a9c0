"""From an operator that the rules accept to attributes, data operands and output shapes, all numbers resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tessera.arith.activation import Activation, clamp_range
from tessera.arith.unary import (
    Table,
    hard_swish_table,
    leaky_relu_table,
    logistic_table,
    relu_table,
    requantize_table,
    tanh_table,
)
from tessera.frontend.view import BYTE_TYPES, OpView
from tessera.ir import attrs
from tessera.ir.attrs import Attrs, Clamp, Padding
from tessera.ir.graph import DType
from tessera.ir.shapes import same_padding, window_count

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """`operands` are positions in the file operator's inputs."""

    attrs: Attrs
    operands: tuple[int, ...]
    shapes: tuple[Shape, ...]


def convert(op: OpView) -> Converted:
    if op.kind in _TABLES:
        lookup = attrs.Lookup(_TABLES[op.kind](op), op.kind)
        return Converted(lookup, (0,), (op.data.shape,))
    return _CONVERTERS[op.kind](op)


def _clamp(op: OpView) -> Clamp:
    return clamp_range(Activation(op.options.fusedActivationFunction), op.out.q, op.out.dtype)


def _window(op: OpView, channels: int) -> tuple[Padding, Shape]:
    """Padding in numbers and the output shape of a convolution or pool."""
    sides: list[tuple[int, int]] = []
    sizes: list[int] = []
    for size, kernel, stride in zip(op.data.shape[1:3], op.kernel, op.stride, strict=True):
        before, after = same_padding(size, kernel, stride) if op.options.padding == 0 else (0, 0)
        sides.append((before, after))
        sizes.append(window_count(size, kernel, stride, before, after))
    return (*sides[0], *sides[1]), (1, *sizes, channels)


def _with_bias(op: OpView) -> tuple[int, ...]:
    return (0, 1, 2) if op.has(2) else (0, 1)


def _conv_2d(op: OpView) -> Converted:
    padding, shape = _window(op, op.input(1).shape[0])
    legacy = op.data.dtype is DType.UINT8
    return Converted(attrs.Conv2D(op.stride, padding, _clamp(op), legacy), _with_bias(op), (shape,))


def _depthwise_conv_2d(op: OpView) -> Converted:
    channels = op.input(1).shape[3]
    padding, shape = _window(op, channels)
    legacy, factor = op.data.dtype is DType.UINT8, channels // op.data.shape[3]
    return Converted(attrs.DepthwiseConv2D(op.stride, padding, _clamp(op), factor, legacy), _with_bias(op), (shape,))


def _fully_connected(op: OpView) -> Converted:
    channels, depth = op.input(1).shape
    keep = op.options.keepNumDims and op.data.shape[-1] == depth
    shape = (*op.data.shape[:-1], channels) if keep else (op.data.size // depth, channels)
    return Converted(attrs.FullyConnected(_clamp(op)), _with_bias(op), (shape,))


def _broadcast(op: OpView) -> tuple[Shape]:
    return (np.broadcast_shapes(op.input(0).shape, op.input(1).shape),)


def _average_pool_2d(op: OpView) -> Converted:
    padding, shape = _window(op, op.data.shape[3])
    return Converted(attrs.AvgPool2D(op.kernel, op.stride, padding, _clamp(op)), (0,), (shape,))


def _max_pool_2d(op: OpView) -> Converted:
    padding, shape = _window(op, op.data.shape[3])
    return Converted(attrs.MaxPool2D(op.kernel, op.stride, padding, _clamp(op)), (0,), (shape,))


def _mean(op: OpView) -> Converted:
    rank, keep = len(op.data.shape), bool(op.options.keepDims)
    axes = tuple(sorted({a % rank for a in op.ints(1)}))
    dims = enumerate(op.data.shape)
    shape = tuple(1 if i in axes else d for i, d in dims if keep or i not in axes)
    return Converted(attrs.Mean(axes, keep), (0,), (shape,))


def _quantize(op: OpView) -> Converted:
    if op.data.dtype in BYTE_TYPES:
        return Converted(attrs.Lookup(requantize_table(op.data, op.out), op.kind), (0,), (op.data.shape,))
    return Converted(attrs.Quantize(), (0,), (op.data.shape,))


def _reshape(op: OpView) -> Converted:
    """The new shape is the second input, else the option, else the output's own; one -1 in it is what is left over."""
    if op.has(1) and op.is_constant(1):
        wanted = op.ints(1)
    elif not op.has(1) and op.options.newShape is not None:
        wanted = [int(d) for d in op.options.newShape]
    else:
        wanted = list(op.out.shape)
    if wanted.count(-1) == 1:
        known = int(np.prod([d for d in wanted if d != -1], dtype=np.int64))
        wanted = [d if d != -1 else op.data.size // max(known, 1) for d in wanted]
    return Converted(attrs.Reshape(), (0,), (tuple(wanted),))


def _expand_dims(op: OpView) -> Converted:
    shape, axis = list(op.data.shape), op.ints(1)[0]
    shape.insert(axis if axis >= 0 else axis + len(shape) + 1, 1)
    return Converted(attrs.Reshape(), (0,), (tuple(shape),))


def _squeeze(op: OpView) -> Converted:
    dims, shape = op.options.squeezeDims, op.data.shape
    gone = {int(d) % len(shape) for d in dims} if dims is not None and len(dims) else set(range(len(shape)))
    return Converted(attrs.Reshape(), (0,), (tuple(d for i, d in enumerate(shape) if not (i in gone and d == 1)),))


def _pad(op: OpView) -> Converted:
    """PAD writes the OUTPUT's zero point, PADV2 its third input."""
    flat = op.ints(1)
    amounts = tuple((a, b) for a, b in zip(flat[::2], flat[1::2], strict=True))
    value = op.ints(2)[0] if op.kind == "PADV2" else op.out.q.zero_point
    shape = tuple(a + d + b for (a, b), d in zip(amounts, op.data.shape, strict=True))
    return Converted(attrs.Pad(amounts, value), (0,), (shape,))


def _transpose(op: OpView) -> Converted:
    perm = tuple(op.ints(1))
    return Converted(attrs.Transpose(perm), (0,), (tuple(op.data.shape[p] for p in perm),))


def _concatenation(op: OpView) -> Converted:
    axis = op.options.axis % len(op.data.shape)
    shape = list(op.data.shape)
    shape[axis] = sum(op.input(i).shape[axis] for i in range(len(op.inputs)))
    return Converted(attrs.Concatenation(axis), tuple(range(len(op.inputs))), (tuple(shape),))


def _split(op: OpView) -> Converted:
    axis = op.ints(0)[0] % len(op.data.shape)
    shape = list(op.data.shape)
    shape[axis] //= len(op.outputs)
    return Converted(attrs.Split(axis), (1,), (tuple(shape),) * len(op.outputs))


def _pack(op: OpView) -> Converted:
    axis = op.options.axis % (len(op.data.shape) + 1)
    shape = (*op.data.shape[:axis], len(op.inputs), *op.data.shape[axis:])
    return Converted(attrs.Pack(axis), tuple(range(len(op.inputs))), (shape,))


def _strided_slice(op: OpView) -> Converted:
    o, begins, steps, sizes, shrink = op.options, [], [], [], []
    for d, (begin, end, step) in enumerate(zip(op.ints(1), op.ints(2), op.ints(3), strict=True)):
        bit, dim = 1 << d, op.data.shape[d]
        if o.shrinkAxisMask & bit:
            start = begin + dim if begin < 0 else begin
            if not 0 <= start < dim:
                raise ValueError(f"index {begin} of dimension {d} which has {dim}")
            shrink.append(d)
            span = range(start, start + 1)
        else:
            first, last = None if o.beginMask & bit else begin, None if o.endMask & bit else end
            span = range(*slice(first, last, step).indices(dim))
        begins.append(span.start if len(span) else 0)
        steps.append(span.step)
        sizes.append(len(span))
    shape = tuple(n for d, n in enumerate(sizes) if d not in shrink)
    return Converted(attrs.StridedSlice(tuple(begins), tuple(steps), tuple(sizes), tuple(shrink)), (0,), (shape,))


def _slice(op: OpView) -> Converted:
    begin = tuple(op.ints(1))
    size = tuple(d - b if n == -1 else n for b, n, d in zip(begin, op.ints(2), op.data.shape, strict=True))
    return Converted(attrs.StridedSlice(begin, (1,) * len(begin), size), (0,), (size,))


def _resized(op: OpView) -> tuple[Shape]:
    n, _, _, c = op.data.shape
    return ((n, *op.ints(1), c),)


def _flags(op: OpView) -> tuple[bool, bool]:
    return bool(op.options.alignCorners), bool(op.options.halfPixelCenters)


_TABLES: dict[str, Callable[[OpView], Table]] = {
    "LOGISTIC": lambda op: logistic_table(op.data, op.out),
    "TANH": lambda op: tanh_table(op.data, op.out),
    "HARD_SWISH": lambda op: hard_swish_table(op.data, op.out),
    "LEAKY_RELU": lambda op: leaky_relu_table(op.data, op.out, op.options.alpha),
    "RELU": lambda op: relu_table(op.data, op.out, Activation.RELU),
    "RELU6": lambda op: relu_table(op.data, op.out, Activation.RELU6),
    "RELU_N1_TO_1": lambda op: relu_table(op.data, op.out, Activation.RELU_N1_TO_1),
}

_CONVERTERS: dict[str, Callable[[OpView], Converted]] = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": lambda op: Converted(attrs.Add(_clamp(op)), (0, 1), _broadcast(op)),
    "SUB": lambda op: Converted(attrs.Sub(_clamp(op)), (0, 1), _broadcast(op)),
    "MUL": lambda op: Converted(attrs.Mul(_clamp(op)), (0, 1), _broadcast(op)),
    "PRELU": lambda op: Converted(attrs.PRelu(), (0, 1), (op.data.shape,)),
    "AVERAGE_POOL_2D": _average_pool_2d,
    "MAX_POOL_2D": _max_pool_2d,
    "MEAN": _mean,
    "SOFTMAX": lambda op: Converted(attrs.Softmax(float(op.options.beta)), (0,), (op.data.shape,)),
    "QUANTIZE": _quantize,
    "DEQUANTIZE": lambda op: Converted(attrs.Dequantize(), (0,), (op.data.shape,)),
    "RESIZE_NEAREST_NEIGHBOR": lambda op: Converted(attrs.ResizeNearest(*_flags(op)), (0,), _resized(op)),
    "RESIZE_BILINEAR": lambda op: Converted(attrs.ResizeBilinear(*_flags(op)), (0,), _resized(op)),
    "RESHAPE": _reshape,
    "EXPAND_DIMS": _expand_dims,
    "SQUEEZE": _squeeze,
    "PAD": _pad,
    "PADV2": _pad,
    "TRANSPOSE": _transpose,
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "PACK": _pack,
    "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice,
}
