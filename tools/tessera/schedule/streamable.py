"""Which operators can advance row by row inside a stage, and which rows and columns of their inputs a span needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tessera.arith.multipliers import resize_bilinear_axis, resize_nearest_indices
from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op, TensorId

MAX_SOURCES = 8  # TESS_MAX_SOURCES


@dataclass(frozen=True, slots=True)
class Window:
    """Output index i sees the input's [i * stride - pad, i * stride - pad + kernel)."""

    kernel: int
    stride: int
    pad: int


@dataclass(frozen=True, slots=True)
class Upsample:
    """Output index i sees the input's [i // factor + low, i // factor + high + 1)."""

    factor: int
    low: int
    high: int


Axis = Window | Upsample
ONE_TO_ONE = Window(1, 1, 0)


@dataclass(frozen=True, slots=True)
class Source:
    """A map that an operator reads, and what of it a row and a column of the output see. A vector (1 x 1 pixel,
    constant or not) is seen whole by every pixel: it has no axes."""

    tensor: TensorId
    rows: Axis | None
    cols: Axis | None


@dataclass(frozen=True, slots=True)
class Streamable:
    """How an operator runs inside a stage. One that `reduces` runs over its input's pixels; the last completes it."""

    sources: tuple[Source, ...]
    reduces: bool = False


def streamable(graph: Graph, op: Op) -> Streamable | None:
    """None: the operator runs as a layer only."""
    if len(op.outputs) != 1 or any(graph.tensor(t).dtype.nbytes != 1 for t in (op.inputs[0], op.outputs[0])):
        return None
    if _reduces(graph, op):
        return Streamable((Source(op.inputs[0], ONE_TO_ONE, ONE_TO_ONE),), reduces=True)
    if not _is_map(graph, op.outputs[0]) or graph.tensor(op.outputs[0]).shape[1:3] == (1, 1):
        return None
    if not _is_map(graph, op.inputs[0]) and not isinstance(op.attrs, ir.Add | ir.Sub | ir.Mul | ir.PRelu):
        return None
    sources = _sources(graph, op)
    return None if sources is None or len(sources) > MAX_SOURCES else Streamable(sources)


def _is_map(graph: Graph, tensor: TensorId) -> bool:
    shape = graph.tensor(tensor).shape
    return len(shape) == 4 and shape[0] == 1


def _reduces(graph: Graph, op: Op) -> bool:
    """Means over a whole map, whatever rank the result has."""
    if not _is_map(graph, op.inputs[0]):
        return False
    _, height, width, channels = graph.tensor(op.inputs[0]).shape
    match op.attrs:
        case ir.Mean() as mean:
            return mean.axes == (1, 2)
        case ir.MeanOfMeans():
            return True
        case ir.AvgPool2D() as pool:
            whole = pool.kernel == (height, width) and not any(pool.padding)
            return whole and graph.tensor(op.outputs[0]).size == channels
        case _:
            return False


def _sources(graph: Graph, op: Op) -> tuple[Source, ...] | None:
    x = op.inputs[0]
    match op.attrs:
        case ir.Conv2D() | ir.DepthwiseConv2D() as conv:
            _, height, width, _ = graph.tensor(op.inputs[1]).shape
            return (Source(x, *_window((height, width), conv.stride, conv.padding)),)
        case ir.AvgPool2D() | ir.MaxPool2D() as pool:
            return (Source(x, *_window(pool.kernel, pool.stride, pool.padding)),)
        case ir.Lookup() | ir.Softmax():
            return (Source(x, ONE_TO_ONE, ONE_TO_ONE),)
        case ir.Add() | ir.Sub() | ir.Mul() | ir.PRelu():
            return _elementwise(graph, op)
        case ir.Concatenation(axis=3):
            return tuple(Source(t, ONE_TO_ONE, ONE_TO_ONE) for t in op.inputs)
        case ir.Pad() as pad if not any(pad.amounts[0]) and not any(pad.amounts[3]):
            return (Source(x, Window(1, 1, pad.amounts[1][0]), Window(1, 1, pad.amounts[2][0])),)
        case ir.ResizeNearest() | ir.ResizeBilinear():
            rows, cols = (_upsample(graph, op, axis) for axis in (1, 2))
            return None if rows is None or cols is None else (Source(x, rows, cols),)
        case _:
            return None


def _window(kernel: ir.Pair, stride: ir.Pair, padding: ir.Padding) -> tuple[Window, Window]:
    return Window(kernel[0], stride[0], padding[0]), Window(kernel[1], stride[1], padding[2])


def _elementwise(graph: Graph, op: Op) -> tuple[Source, ...] | None:
    """Operands of the output's shape, and vectors of its channels or one value."""
    shape = graph.tensor(op.outputs[0]).shape
    sources: list[Source] = []
    for t in op.inputs:
        operand = graph.tensor(t)
        if operand.shape == shape and not operand.is_constant:
            sources.append(Source(t, ONE_TO_ONE, ONE_TO_ONE))
        elif operand.size in (1, shape[3]) and operand.size == (operand.shape or (1,))[-1]:
            sources.append(Source(t, None, None))
        else:
            return None
    return tuple(sources) if any(s.rows for s in sources) else None


def _upsample(graph: Graph, op: Op, axis: int) -> Upsample | None:
    """Whole factors only: others have no common step."""
    n, size = graph.tensor(op.inputs[0]).shape[axis], graph.tensor(op.outputs[0]).shape[axis]
    if size % n:
        return None
    attrs, factor = op.attrs, size // n
    if isinstance(attrs, ir.ResizeNearest):
        low = high = np.asarray(resize_nearest_indices(n, size, attrs.align_corners, attrs.half_pixel_centers))
    else:
        assert isinstance(attrs, ir.ResizeBilinear)
        table = resize_bilinear_axis(n, size, attrs.align_corners, attrs.half_pixel_centers)
        low, high = np.asarray(table.low), np.asarray(table.high)
    at = np.arange(size) // factor
    return Upsample(factor, int((low - at).min()), int((high - at).max()))
