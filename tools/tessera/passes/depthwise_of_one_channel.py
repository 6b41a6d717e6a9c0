"""A depthwise convolution of a map with one channel is a convolution: the first layer of networks on grey images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.ir.attrs import Conv2D, DepthwiseConv2D
from tessera.ir.graph import Graph, Op, Tensor, TensorId


def depthwise_of_one_channel(graph: Graph) -> Graph:
    """Before: DEPTHWISE_CONV_2D on [1,H,W,1], weights [1,KH,KW,O]. After: CONV_2D, weights [O,KH,KW,1]; kernels for
    convolutions share the input among all output channels."""
    tensors, ops = list(graph.tensors), list[Op]()
    for op in graph.ops:
        if isinstance(op.attrs, DepthwiseConv2D) and graph.tensor(op.inputs[0]).shape[3] == 1:
            tensors.append(_turned(graph.tensor(op.inputs[1])))
            x, _, *bias = op.inputs
            op = replace(op, attrs=_as_conv2d(op.attrs), inputs=(x, TensorId(len(tensors) - 1), *bias))
        ops.append(op)
    return replace(graph, tensors=tuple(tensors), ops=tuple(ops))


def _as_conv2d(conv: DepthwiseConv2D) -> Conv2D:
    return Conv2D(conv.stride, conv.padding, conv.clamp, conv.float32_product)


def _turned(weights: Tensor) -> Tensor:
    """The output channels outermost."""
    assert weights.data is not None
    assert weights.quant is not None
    data = np.ascontiguousarray(np.moveaxis(weights.data, 3, 0).reshape(weights.shape[3], *weights.shape[1:3], 1))
    return replace(weights, shape=data.shape, data=data, quant=replace(weights.quant, axis=0), source=None)
