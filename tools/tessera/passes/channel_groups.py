"""Channels that go or stay together, because an operator makes one of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.ir.attrs import (
    Add,
    AvgPool2D,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    Dequantize,
    FullyConnected,
    Lookup,
    MaxPool2D,
    Mean,
    MeanOfMeans,
    Mul,
    Pack,
    Pad,
    PRelu,
    Quantize,
    Reshape,
    ResizeBilinear,
    ResizeNearest,
    Softmax,
    Split,
    StridedSlice,
    Sub,
    Transpose,
)
from tessera.ir.graph import Graph, Op, Tensor, TensorId
from tessera.passes.channel_ranges import channels_of, data_operands, reads_whole_rows

Numbers = NDArray[np.int64]
Part = tuple[TensorId, Numbers]  # channels of a tensor, not each once


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """`of[tensor][channel]` is the number of a group; `pinned[group]`: it must stay, whoever reads it."""

    of: Mapping[TensorId, Numbers]
    pinned: NDArray[np.bool_]


def mixes_channels(graph: Graph, op: Op) -> bool:
    """Each output channel is a sum over all input channels, so that any of either may go."""
    match op.attrs:
        case Conv2D():
            return True
        case FullyConnected():
            return reads_whole_rows(graph, op)
        case _:
            return False


def group_channels(graph: Graph) -> Groups:
    ids = dict.fromkeys((*graph.inputs, *graph.outputs))
    ids.update(dict.fromkeys(i for op in graph.ops for i in (*data_operands(op), *op.outputs)))
    start: dict[TensorId, int] = {}
    count = 0
    for i in ids:
        start[i] = count
        count += channels_of(graph.tensor(i))
    parent = list(range(count))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    fixed = set(graph.inputs) | set(graph.outputs)
    # weights that are data somewhere else are cut for one reader only
    fixed |= {i for op in graph.ops for i in op.inputs if i not in data_operands(op)} & ids.keys()
    for op in graph.ops:
        if mixes_channels(graph, op):
            continue
        pairs = list(_pairs(graph, op))
        for (a, these), (b, those) in pairs:
            for p, q in zip((start[a] + these).tolist(), (start[b] + those).tolist(), strict=True):
                parent[root(p)] = root(q)
        tied = {i for pair in pairs for i, _ in pair}
        fixed |= {i for i in (*data_operands(op), *op.outputs) if i not in tied}
    roots, group = np.unique([root(n) for n in range(count)], return_inverse=True)
    of = {i: group[start[i] : start[i] + channels_of(graph.tensor(i))].astype(np.int64) for i in ids}
    pinned = np.zeros(len(roots), np.bool_)
    for i in fixed:
        pinned[of[i]] = True
    return Groups(of, pinned)


def _pairs(graph: Graph, op: Op) -> Iterator[tuple[Part, Part]]:
    """Channels of an operand and, one for one, the channels of an output that are made of them. An operand or output
    that is in no pair stays whole."""
    y = op.outputs[0]
    match op.attrs:
        case DepthwiseConv2D(depth_multiplier=m):
            yield (op.inputs[0], np.repeat(_all(graph, op.inputs[0]), m)), (y, _all(graph, y))
        case Add() | Sub() | Mul() | PRelu():
            for i in op.inputs:
                if channels_of(graph.tensor(i)) == channels_of(graph.tensor(y)):
                    yield _whole(graph, i), _whole(graph, y)
        case Concatenation(axis=axis) if axis == _last(graph.tensor(y)):
            begin = 0
            for i in op.inputs:
                yield _whole(graph, i), (y, begin + _all(graph, i))
                begin += channels_of(graph.tensor(i))
        case Reshape():
            x = op.inputs[0]
            few, many = sorted((x, y), key=lambda i: channels_of(graph.tensor(i)))
            width = channels_of(graph.tensor(few))
            if width and channels_of(graph.tensor(many)) % width == 0:
                yield (few, _all(graph, many) % width), _whole(graph, many)
        case Pad(amounts=amounts):
            yield _whole(graph, op.inputs[0]), (y, amounts[-1][0] + _all(graph, op.inputs[0]))
        case _ if _keeps_channels(graph, op):
            for i in op.inputs:
                for out in op.outputs:
                    yield _whole(graph, i), _whole(graph, out)
        case _:
            return


def _keeps_channels(graph: Graph, op: Op) -> bool:
    """Each output channel is made of the same channel of every operand."""
    x, y = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    last = _last(x)
    match op.attrs:
        case AvgPool2D() | MaxPool2D() | MeanOfMeans() | Lookup() | ResizeNearest() | ResizeBilinear():
            return True
        case Quantize() | Dequantize():
            return True
        case Mean(axes=axes):
            return last not in axes
        case Transpose(perm=perm):
            return perm[-1:] == (last,)
        case Concatenation(axis=axis) | Split(axis=axis):
            return axis != last
        case Pack(axis=axis):
            return axis != _last(y)
        case StridedSlice() as s:
            return (s.begin[-1], s.step[-1], s.size[-1]) == (0, 1, channels_of(x)) and last not in s.shrink
        case Softmax() | FullyConnected():
            return False
        case _:
            raise AssertionError(type(op.attrs).__name__)


def _last(t: Tensor) -> int:
    return len(t.shape) - 1


def _all(graph: Graph, i: TensorId) -> Numbers:
    return np.arange(channels_of(graph.tensor(i)), dtype=np.int64)


def _whole(graph: Graph, i: TensorId) -> Part:
    return i, _all(graph, i)
