"""Runs a graph and keeps every tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from tessera.errors import BadInput
from tessera.interpreter import elementwise, linear, maps, movers
from tessera.ir import attrs as a
from tessera.ir.graph import Graph, Op, Tensor, TensorId

Array = NDArray[Any]
# (attributes, input tensors, output tensors, input values) -> output value, a list where there are several outputs
Kernel = Callable[[Any, Sequence[Tensor], Sequence[Tensor], Sequence[Array]], Array | list[Array]]

KERNELS: dict[type, Kernel] = {
    a.Conv2D: linear.conv2d,
    a.DepthwiseConv2D: linear.depthwise_conv2d,
    a.FullyConnected: linear.fully_connected,
    a.Add: elementwise.add,
    a.Sub: elementwise.sub,
    a.Mul: elementwise.mul,
    a.PRelu: elementwise.prelu,
    a.Lookup: elementwise.lookup,
    a.Quantize: elementwise.quantize,
    a.Dequantize: elementwise.dequantize,
    a.Softmax: elementwise.softmax,
    a.AvgPool2D: maps.avg_pool2d,
    a.MaxPool2D: maps.max_pool2d,
    a.Mean: maps.mean,
    a.MeanOfMeans: maps.mean_of_means,
    a.ResizeNearest: maps.resize_nearest,
    a.ResizeBilinear: maps.resize_bilinear,
    a.Reshape: movers.reshape,
    a.Pad: movers.pad,
    a.Transpose: movers.transpose,
    a.Concatenation: movers.concatenation,
    a.Split: movers.split,
    a.StridedSlice: movers.strided_slice,
    a.Pack: movers.pack,
}


def run(graph: Graph, inputs: Mapping[TensorId, Array] | Sequence[Array]) -> list[Array | None]:
    """The value of each tensor, None for one that nothing computes. Inputs by tensor, or in graph.inputs' order."""
    if not isinstance(inputs, Mapping):
        if len(inputs) != len(graph.inputs):
            raise BadInput(f"{graph.name} takes {len(graph.inputs)} inputs and {len(inputs)} are given")
        inputs = dict(zip(graph.inputs, inputs, strict=True))
    values: list[Array | None] = [t.data for t in graph.tensors]
    for i in graph.inputs:
        values[i] = _checked(graph.tensors[i], inputs[i])
    for op in graph.ops:
        for i, value in zip(op.outputs, evaluate(graph, op, values), strict=True):
            values[i] = value
    return values


def evaluate(graph: Graph, op: Op, values: Sequence[Array | None]) -> list[Array]:
    """The outputs of one operator."""
    ins, outs = [graph.tensors[i] for i in op.inputs], [graph.tensors[i] for i in op.outputs]
    operands = []
    for i in op.inputs:
        value = values[i]
        assert value is not None, f"{op.name} reads {graph.tensors[i].name}"
        operands.append(value)
    result = KERNELS[type(op.attrs)](op.attrs, ins, outs, operands)
    return result if isinstance(result, list) else [result]


def _checked(t: Tensor, value: Array) -> Array:
    if value.shape != t.shape or value.dtype != t.dtype.numpy:
        raise BadInput(
            f"input '{t.name}' takes {t.dtype.value} {list(t.shape)} and {value.dtype} {list(value.shape)} is given"
        )
    return value
