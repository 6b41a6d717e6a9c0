"""Scratch of the kernels, known from shapes before any kernel is bound: memory is planned with it."""

from __future__ import annotations

from tessera.ir.attrs import Conv2D, DepthwiseConv2D, FullyConnected
from tessera.ir.graph import Graph, Op
from tessera.kernels.dsp.conv2d import conv2d_scratch_bytes
from tessera.kernels.dsp.depthwise import depthwise_conv2d_scratch_bytes
from tessera.kernels.dsp.fully_connected import fully_connected_scratch_bytes
from tessera.kernels.isa import Isa, KernelSet


def scratch_bytes(graph: Graph, op: Op, kernels: KernelSet, *, streamed: bool) -> int:
    """The most that any kernel which may be picked for the operator needs, as a layer or inside a stage."""
    portable = 0 if streamed else portable_scratch_bytes(graph, op)
    if kernels.isa is not Isa.ARMV7E_M:
        return portable
    match op.attrs:
        case Conv2D():
            return max(portable, conv2d_scratch_bytes(graph, op, streamed=streamed, fast=kernels.fast))
        case DepthwiseConv2D():
            return max(portable, depthwise_conv2d_scratch_bytes(graph, op, streamed=streamed, fast=kernels.fast))
        case FullyConnected():
            return max(portable, fully_connected_scratch_bytes(graph, op, fast=kernels.fast))
        case _:
            return portable


def portable_scratch_bytes(graph: Graph, op: Op) -> int:
    """As a layer; inside a stage portable kernels need none."""
    if not isinstance(op.attrs, DepthwiseConv2D):
        return 0
    _, _, width, _ = graph.tensor(op.inputs[0]).shape
    return graph.tensor(op.inputs[1]).shape[1] * width  # the rows of a window, of one channel
