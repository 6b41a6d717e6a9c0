"""What the kernels cannot do. A rule's docstring is the sentence that the user reads when it is broken.

It returns None where it holds and the actual value where it does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tessera.arith.fixed_point import Ints
from tessera.arith.single_rounding import accumulator_range
from tessera.errors import UnsupportedModel
from tessera.ir.attrs import (
    AvgPool2D,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    MaxPool2D,
    Pack,
    Pad,
    Softmax,
    Split,
    StridedSlice,
    Transpose,
)
from tessera.ir.graph import Graph, Op
from tessera.kernels.operands import bias_of, centred_weights

MAX_KERNEL_H = 64  # TESS_MAX_KERNEL_H
SOFTMAX_MAX_LENGTH = 4095  # TESS_SOFTMAX_MAX_LENGTH

Rule = Callable[[Graph, Op], str | None]


def check_limits(graph: Graph, op: Op) -> None:
    for rule in LIMITS:
        actual = rule(graph, op)
        if actual is not None:
            sentence = " ".join((rule.__doc__ or "").split())
            raise UnsupportedModel(f"{graph.name}: {type(op.attrs).__name__} '{op.name}': {sentence}, but {actual}")


def window_is_at_most_64_rows(graph: Graph, op: Op) -> str | None:
    """the kernel must be at most 64 rows high"""
    match op.attrs:
        case Conv2D() | DepthwiseConv2D():
            rows = graph.tensor(op.inputs[1]).shape[1]
        case AvgPool2D() | MaxPool2D() as pool:
            rows = pool.kernel[0]
        case _:
            return None
    return None if rows <= MAX_KERNEL_H else f"it has {rows}"


def accumulators_fit_in_32_bits(graph: Graph, op: Op) -> str | None:
    """sums of products plus bias must fit in 32 bits for every input"""
    if not isinstance(op.attrs, Conv2D | DepthwiseConv2D | FullyConnected):
        return None
    bound = int(np.max(accumulator_bounds(graph, op)))
    return None if bound <= (1 << 31) - 1 else f"they reach {bound}"


def softmax_row_is_at_most_4095(graph: Graph, op: Op) -> str | None:
    """a row must have at most 4095 elements"""
    if not isinstance(op.attrs, Softmax):
        return None
    length = graph.tensor(op.inputs[0]).shape[-1]
    return None if length <= SOFTMAX_MAX_LENGTH else f"it has {length}"


def copies_are_of_bytes(graph: Graph, op: Op) -> str | None:
    """moved elements must be 8 bits wide"""
    if not isinstance(op.attrs, Concatenation | Pack | Pad | Split | StridedSlice | Transpose):
        return None
    dtype = graph.tensor(op.outputs[0]).dtype
    return None if dtype.nbytes == 1 else f"they are {dtype.value}"


LIMITS: tuple[Rule, ...] = (
    window_is_at_most_64_rows,
    accumulators_fit_in_32_bits,
    softmax_row_is_at_most_4095,
    copies_are_of_bytes,
)


def accumulator_bounds(graph: Graph, op: Op) -> Ints:
    """[output channels] the largest |accumulator| of a convolution or fully connected layer."""
    least, most = accumulator_ranges(graph, op)
    return np.maximum(np.abs(least), np.abs(most))


def accumulator_ranges(graph: Graph, op: Op) -> tuple[Ints, Ints]:
    """[output channels] the least and the greatest accumulator of a convolution or fully connected layer."""
    x = graph.tensor(op.inputs[0])
    weights = centred_weights(graph, op)
    if isinstance(op.attrs, DepthwiseConv2D):
        weights = np.moveaxis(weights, 3, 0)
    bias = bias_of(graph, op)
    low, high = -128 - x.q.zero_point, 127 - x.q.zero_point
    flat = weights.reshape(weights.shape[0], -1)
    return accumulator_range(flat, 0 if bias is None else bias.astype(np.int64), low, high)
