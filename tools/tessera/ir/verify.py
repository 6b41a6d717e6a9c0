"""What every Graph must hold, checked without looking at how it was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from tessera.ir import attrs as a
from tessera.ir.graph import DType, Graph, Op, Tensor
from tessera.ir.shapes import window_count

_BYTES = (DType.INT8, DType.UINT8)


class InternalError(AssertionError):
    """A stage made a value that breaks its own invariants: our bug, not the user's."""


def verify_graph(graph: Graph) -> None:
    """Topological order, one producer each, shapes and types as the operators say, quantization present."""
    n = len(graph.tensors)
    known = {i for i, t in enumerate(graph.tensors) if t.is_constant}
    for i in (*graph.inputs, *graph.outputs):
        _require(0 <= i < n, f"graph input or output {i} is not a tensor")
    for i in graph.inputs:
        _require(i not in known, f"graph input '{graph.tensors[i].name}' is a constant or comes twice")
        known.add(i)
    for t in graph.tensors:
        _verify_tensor(t)
    names: set[str] = set()
    for op in graph.ops:
        _require(op.name not in names and op.name != "", f"operator name '{op.name}' is empty or comes twice")
        names.add(op.name)
        for i in op.inputs:
            _require(0 <= i < n, f"'{op.name}' reads tensor {i} of {n}")
            _require(i in known, f"'{op.name}' reads '{graph.tensors[i].name}' before it is computed")
        for i in op.outputs:
            _require(0 <= i < n, f"'{op.name}' writes tensor {i} of {n}")
            _require(i not in known, f"'{op.name}' writes '{graph.tensors[i].name}', which has a value already")
            known.add(i)
        _verify_op(op, [graph.tensors[i] for i in op.inputs], [graph.tensors[i] for i in op.outputs])
    for i in graph.outputs:
        _require(i in known, f"graph output '{graph.tensors[i].name}' is never computed")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InternalError(message)


def _verify_tensor(t: Tensor) -> None:
    _require(all(isinstance(d, int) and d >= 0 for d in t.shape), f"'{t.name}' has shape {t.shape}")
    if t.data is not None:
        _require(t.data.shape == t.shape, f"'{t.name}' of {t.shape} has data of {t.data.shape}")
        _require(t.data.dtype == t.dtype.numpy, f"'{t.name}' of {t.dtype.value} has data of {t.data.dtype}")
    if t.quant is not None:
        _require(t.quant.scales.dtype == np.float32, f"'{t.name}' has scales of {t.quant.scales.dtype}")
        _require(t.quant.scales.size >= 1, f"'{t.name}' has no scales")
        if t.dtype in _BYTES:
            _require(bool(np.all(t.quant.scales > 0)), f"'{t.name}' has a scale that is not positive")
            info = np.iinfo(t.dtype.numpy)
            _require(info.min <= t.quant.zero_point <= info.max, f"'{t.name}' has zero point {t.quant.zero_point}")


def _verify_op(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
    checker = _CHECKERS.get(type(op.attrs))
    if checker is None:
        raise InternalError(f"'{op.name}' has attributes of unknown class {type(op.attrs).__name__}")
    many_outputs, many_inputs = isinstance(op.attrs, a.Split), isinstance(op.attrs, a.Concatenation | a.Pack)
    _require(len(outs) == 1 or (many_outputs and len(outs) > 0), f"'{op.name}' has {len(outs)} outputs")
    low, high = _INPUT_COUNTS.get(type(op.attrs), (1, 1))
    _require(low <= len(ins) and (many_inputs or len(ins) <= high), f"'{op.name}' has {len(ins)} inputs")
    try:
        shapes = checker(op, ins, outs)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise InternalError(f"'{op.name}': {error}") from error
    if shapes is not None:
        actual = [t.shape for t in outs]
        _require(actual == shapes, f"'{op.name}' gives {shapes} and its outputs are {actual}")
    if isinstance(op.attrs, a.CLAMPING):  # its checker saw that the output is 8 bit
        info, clamp = np.iinfo(outs[0].dtype.numpy), op.attrs.clamp
        fits = info.min <= clamp[0] <= info.max and info.min <= clamp[1] <= info.max
        _require(fits, f"'{op.name}' clamps to {clamp}")


Shapes = list[tuple[int, ...]]


def _fail(op: Op, what: str) -> NoReturn:
    raise InternalError(f"'{op.name}': {what}")


def _quantized(op: Op, tensors: Sequence[Tensor]) -> None:
    """All 8 bit, of one type, one scale each."""
    for t in tensors:
        if t.dtype not in _BYTES or t.dtype is not tensors[0].dtype:
            _fail(op, f"'{t.name}' is {t.dtype.value}")
        if t.quant is None or t.quant.scales.size != 1:
            _fail(op, f"'{t.name}' has no scale of its own")


def _map(op: Op, x: Tensor) -> tuple[int, int, int]:
    if len(x.shape) != 4 or x.shape[0] != 1 or x.size == 0:
        _fail(op, f"'{x.name}' is not [1, height, width, channels]: {x.shape}")
    return x.shape[1], x.shape[2], x.shape[3]


def _weighted(op: Op, ins: Sequence[Tensor], out: Tensor, channels: int, axis: int) -> None:
    _quantized(op, [ins[0], out])
    w = ins[1]
    if w.dtype is not ins[0].dtype or w.quant is None or not w.is_constant:
        _fail(op, f"weights '{w.name}' are not constants of the input's type")
    if w.q.scales.size != 1 and (w.q.scales.size != channels or w.q.axis != axis):
        _fail(op, f"weights '{w.name}' have {w.q.scales.size} scales along {w.q.axis}")
    if len(ins) == 3 and (ins[2].dtype is not DType.INT32 or ins[2].size != channels or not ins[2].is_constant):
        _fail(op, f"bias '{ins[2].name}' is not {channels} int32 constants")


def _window_shape(op: Op, attr: Any, x: Tensor, kernel: a.Pair, channels: int) -> Shapes:
    h, w, _ = _map(op, x)
    top, bottom, left, right = attr.padding
    if min(attr.padding) < 0 or min(attr.stride) < 1 or min(kernel) < 1:
        _fail(op, f"padding {attr.padding}, stride {attr.stride}, kernel {kernel}")
    rows = window_count(h, kernel[0], attr.stride[0], top, bottom)
    cols = window_count(w, kernel[1], attr.stride[1], left, right)
    if min(rows, cols) < 1:
        _fail(op, f"kernel {kernel} does not fit into {x.shape}")
    return [(1, rows, cols, channels)]


def _conv(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    x, w = ins[:2]
    if len(w.shape) != 4 or w.shape[3] != _map(op, x)[2]:
        _fail(op, f"weights {w.shape} meet {x.shape}")
    _weighted(op, ins, outs[0], w.shape[0], 0)
    return _window_shape(op, op.attrs, x, (w.shape[1], w.shape[2]), w.shape[0])


def _depthwise(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    x, w = ins[:2]
    assert isinstance(op.attrs, a.DepthwiseConv2D)
    if len(w.shape) != 4 or w.shape[0] != 1 or w.shape[3] != _map(op, x)[2] * op.attrs.depth_multiplier:
        _fail(op, f"weights {w.shape} meet {x.shape}")
    _weighted(op, ins, outs[0], w.shape[3], 3)
    return _window_shape(op, op.attrs, x, (w.shape[1], w.shape[2]), w.shape[3])


def _fully_connected(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
    x, w, y = ins[0], ins[1], outs[0]
    if len(w.shape) != 2 or w.size == 0 or x.size % w.shape[1]:
        _fail(op, f"weights {w.shape} meet {x.shape}")
    _weighted(op, ins, y, w.shape[0], 0)
    if not y.shape or y.shape[-1] != w.shape[0] or y.size * w.shape[1] != x.size * w.shape[0]:
        _fail(op, f"weights {w.shape} turn {x.shape} into {y.shape}")


def _elementwise(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    _quantized(op, [*ins, *outs])
    return [np.broadcast_shapes(ins[0].shape, ins[1].shape)]


def _prelu(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    if not ins[1].is_constant:
        _fail(op, "alpha is not constant")
    if _elementwise(op, ins, outs) != [ins[0].shape]:
        _fail(op, f"alpha {ins[1].shape} does not broadcast to {ins[0].shape}")
    return [ins[0].shape]


def _pool(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.AvgPool2D | a.MaxPool2D)
    _quantized(op, [ins[0], outs[0]])
    return _window_shape(op, op.attrs, ins[0], op.attrs.kernel, ins[0].shape[-1])


def _mean(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.Mean)
    _quantized(op, [ins[0], outs[0]])
    if tuple(sorted(set(op.attrs.axes))) != op.attrs.axes or not all(0 <= i < len(ins[0].shape) for i in op.attrs.axes):
        _fail(op, f"axes {op.attrs.axes}")
    return [np.sum(np.empty(ins[0].shape, bool), axis=op.attrs.axes, keepdims=op.attrs.keep_dims).shape]


def _mean_of_means(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    _quantized(op, [ins[0], outs[0]])
    if len(ins[0].shape) != 4 or ins[0].shape[0] != 1:
        _fail(op, f"reads {ins[0].shape}, not one map")
    return [(1, 1, 1, ins[0].shape[3])]


def _softmax(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    _quantized(op, [ins[0], outs[0]])
    return [ins[0].shape]


def _lookup(op: Op, ins: Sequence[Tensor], _: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.Lookup)
    if op.attrs.table.shape != (256,) or op.attrs.table.dtype != np.uint8 or ins[0].dtype not in _BYTES:
        _fail(op, "the table is not 256 bytes of an 8-bit input")
    return [ins[0].shape]


def _quantize(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    if ins[0].dtype is not DType.FLOAT32:
        _fail(op, f"reads {ins[0].dtype.value}")
    _quantized(op, outs)
    return [ins[0].shape]


def _dequantize(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    if outs[0].dtype is not DType.FLOAT32:
        _fail(op, f"writes {outs[0].dtype.value}")
    _quantized(op, ins)
    return [ins[0].shape]


def _moved(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
    if any(t.dtype is not ins[0].dtype for t in (*ins, *outs)):
        _fail(op, "types differ")


def _reshape(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
    _moved(op, ins, outs)
    if ins[0].size != outs[0].size:
        _fail(op, f"{ins[0].shape} becomes {outs[0].shape}")


def _pad(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.Pad)
    _moved(op, ins, outs)
    if any(min(p) < 0 for p in op.attrs.amounts):
        _fail(op, f"padding {op.attrs.amounts}")
    return [tuple(p + d + q for (p, q), d in zip(op.attrs.amounts, ins[0].shape, strict=True))]


def _transpose(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.Transpose)
    _moved(op, ins, outs)
    if sorted(op.attrs.perm) != list(range(len(ins[0].shape))):
        _fail(op, f"permutation {op.attrs.perm} of {ins[0].shape}")
    return [tuple(ins[0].shape[p] for p in op.attrs.perm)]


def _concatenation(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.Concatenation)
    _moved(op, ins, outs)
    _axis(op, op.attrs.axis, len(ins[0].shape))
    shape = list(ins[0].shape)
    shape[op.attrs.axis] = sum(t.shape[op.attrs.axis] for t in ins)
    for t in ins:
        others = [d if i != op.attrs.axis else 0 for i, d in enumerate(t.shape)]
        if others != [d if i != op.attrs.axis else 0 for i, d in enumerate(shape)]:
            _fail(op, f"{t.shape} is joined to {ins[0].shape} along {op.attrs.axis}")
    return [tuple(shape)]


def _axis(op: Op, axis: int, rank: int) -> None:
    if not 0 <= axis < rank:
        _fail(op, f"axis {axis} of {rank}")


def _split(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.Split)
    _moved(op, ins, outs)
    _axis(op, op.attrs.axis, len(ins[0].shape))
    shape = list(ins[0].shape)
    if shape[op.attrs.axis] % len(outs):
        _fail(op, f"{ins[0].shape} is split into {len(outs)}")
    shape[op.attrs.axis] //= len(outs)
    return [tuple(shape)] * len(outs)


def _strided_slice(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.StridedSlice)
    _moved(op, ins, outs)
    s = op.attrs
    for begin, step, size, dim in zip(s.begin, s.step, s.size, ins[0].shape, strict=True):
        if size < 0 or step == 0 or (size and not (0 <= begin < dim and 0 <= begin + (size - 1) * step < dim)):
            _fail(op, f"begin {begin}, step {step}, size {size} in {dim}")
    if any(s.size[i] != 1 for i in s.shrink):
        _fail(op, f"shrinks {s.shrink} of {s.size}")
    return [tuple(n for i, n in enumerate(s.size) if i not in s.shrink)]


def _pack(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> Shapes:
    assert isinstance(op.attrs, a.Pack)
    _moved(op, ins, outs)
    shape = ins[0].shape
    _axis(op, op.attrs.axis, len(shape) + 1)
    if any(t.shape != shape for t in ins):
        _fail(op, "operands have several shapes")
    return [(*shape[: op.attrs.axis], len(ins), *shape[op.attrs.axis :])]


def _resize(op: Op, ins: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
    """Any target size is right; batch and channels stay."""
    _quantized(op, [ins[0], outs[0]])
    _map(op, ins[0])
    _map(op, outs[0])
    if ins[0].shape[3] != outs[0].shape[3]:
        _fail(op, f"{ins[0].shape} becomes {outs[0].shape}")


_INPUT_COUNTS: dict[type, tuple[int, int]] = {
    a.Conv2D: (2, 3),
    a.DepthwiseConv2D: (2, 3),
    a.FullyConnected: (2, 3),
    a.Add: (2, 2),
    a.Sub: (2, 2),
    a.Mul: (2, 2),
    a.PRelu: (2, 2),
}

_CHECKERS: dict[type, Callable[[Op, Sequence[Tensor], Sequence[Tensor]], Shapes | None]] = {
    a.Conv2D: _conv,
    a.DepthwiseConv2D: _depthwise,
    a.FullyConnected: _fully_connected,
    a.Add: _elementwise,
    a.Sub: _elementwise,
    a.Mul: _elementwise,
    a.PRelu: _prelu,
    a.AvgPool2D: _pool,
    a.MaxPool2D: _pool,
    a.Mean: _mean,
    a.MeanOfMeans: _mean_of_means,
    a.Softmax: _softmax,
    a.Lookup: _lookup,
    a.Quantize: _quantize,
    a.Dequantize: _dequantize,
    a.Reshape: _reshape,
    a.Pad: _pad,
    a.Transpose: _transpose,
    a.Concatenation: _concatenation,
    a.Split: _split,
    a.StridedSlice: _strided_slice,
    a.Pack: _pack,
    a.ResizeNearest: _resize,
    a.ResizeBilinear: _resize,
}
