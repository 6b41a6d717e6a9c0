"""What an operator costs in instructions, estimated: the edge weights of the schedule search.

Fitted to kernels on a simulated Cortex-M4 (QEMU -icount, arm-none-eabi-gcc 12.2 -O2): the portable ones to 300 steps of
seven models, those of Armv7E-M to 1,100 steps of twelve. All steps of a kind together are within 2 % for convolutions
with scratch, sums and means, within 15 % for convolutions without, within 20 % for the rest but small concatenations.
"""

from __future__ import annotations

from dataclasses import dataclass

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op
from tessera.kernels.isa import Isa, KernelSet
from tessera.schedule.cost import op_macs

PER_COPIED_BYTE = 0.6
"""Of a window's pixels that go to the kept rows or to the next span."""
PER_PULLED_BYTE = 1.0
"""Whatever the application does to bring in a row."""


def per_piece(kernels: KernelSet) -> int:
    """Around each span of a row inside a stage: ticks, sweeps, row pointers, calls; of kernels that prepare what they
    read, also the beginning of a row."""
    if kernels.isa is Isa.PORTABLE:
        return 600
    return 2300 if kernels.fast else 1000


def op_instructions(graph: Graph, op: Op, kernels: KernelSet, *, streamed: bool) -> int:
    """One run over the whole map, as a layer or in a stage without what is around its pieces."""
    if kernels.isa is Isa.PORTABLE:
        return _portable(graph, op)
    return round(_armv7e_m(graph, op, kernels.fast, streamed))


def _portable(graph: Graph, op: Op) -> int:
    out, macs = graph.tensor(op.outputs[0]).size, op_macs(graph, op)
    match op.attrs:
        case ir.Conv2D() as conv:
            taps, rows = _seen(graph, op, conv)
            if graph.tensor(op.inputs[1]).shape[1:3] == (1, 1):
                return 7 * taps + 55 * out
            return 7 * taps + 19 * rows + 79 * out
        case ir.DepthwiseConv2D() as conv:
            taps, rows = _seen(graph, op, conv)
            return 11 * taps + 12 * rows + 108 * out
        case ir.FullyConnected():
            return 7 * macs + 68 * out
        case ir.AvgPool2D() | ir.MaxPool2D() as pool:
            return out * (20 + 10 * pool.kernel[0] * pool.kernel[1])
        case ir.Add() | ir.Sub():
            return 90 * out
        case ir.Mul() | ir.PRelu():
            return 45 * out
        case ir.Mean() | ir.MeanOfMeans():
            return 7 * graph.tensor(op.inputs[0]).size + 87 * out
        case _:
            return _others(op, out)


def _others(op: Op, out: int) -> int:
    """Operators that have portable kernels only."""
    match op.attrs:
        case ir.Softmax():
            return 60 * out
        case ir.ResizeBilinear():
            return 40 * out
        case ir.ResizeNearest():
            return 2 * out
        case ir.Transpose():
            return 13 * out
        case _:
            return 5 * out


@dataclass(frozen=True, slots=True)
class _Costs:
    """Instructions for each multiply-accumulate, output value, and value that is prepared for a kernel."""

    mac: float
    out: float
    prepared: float


def _armv7e_m(graph: Graph, op: Op, fast: bool, streamed: bool) -> float:
    x, out, macs = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0]).size, op_macs(graph, op)
    match op.attrs:
        case ir.Conv2D():
            pointwise = graph.tensor(op.inputs[1]).shape[1:3] == (1, 1)
            costs = _conv2d(fast, streamed, pointwise)
            return costs.mac * macs + costs.out * out + costs.prepared * macs / graph.tensor(op.outputs[0]).shape[3]
        case ir.DepthwiseConv2D():
            costs = _depthwise_conv2d(fast, streamed)
            rows = graph.tensor(op.inputs[1]).shape[1] * graph.tensor(op.outputs[0]).shape[1] / x.shape[1]
            widened = x.size * (rows if streamed else 1)  # a stage widens the rows of every window anew
            return costs.mac * macs + costs.out * out + costs.prepared * widened
        case ir.FullyConnected():
            return macs + 20 * out
        case ir.AvgPool2D() | ir.MaxPool2D() | ir.Mean() | ir.MeanOfMeans():
            return (9 if streamed else 4) * x.size
        case ir.Add() | ir.Sub() | ir.Mul():
            return (10 if streamed else 7) * out
        case ir.Lookup():
            return 5 * out
        case _:
            return _others(op, out)


def _conv2d(fast: bool, streamed: bool, pointwise: bool) -> _Costs:
    if fast:
        return _Costs(0.74, 6, 2.25) if pointwise else _Costs(0.73, 9.6, 1.0)
    if pointwise:
        return _Costs(1.1, 7, 0.8) if streamed else _Costs(0.98, 8.4, 2)
    return _Costs(1.7, 25, 0)


def _depthwise_conv2d(fast: bool, streamed: bool) -> _Costs:
    if fast:
        return _Costs(1.07, 5.2, 2.3 if streamed else 2.5)
    return _Costs(0.9, 21, 1.5) if streamed else _Costs(1.85, 0, 4.4)


def _seen(graph: Graph, op: Op, conv: ir.Conv2D | ir.DepthwiseConv2D) -> tuple[int, int]:
    """Taps inside the map, and rows of taps, of all windows and channels."""
    x, y = graph.tensor(op.inputs[0]).shape, graph.tensor(op.outputs[0]).shape
    _, height, width, _ = graph.tensor(op.inputs[1]).shape
    rows, cols = (
        sum(max(0, min(x[axis], i * stride - pad + kernel) - max(0, i * stride - pad)) for i in range(y[axis]))
        for axis, kernel, stride, pad in (
            (1, height, conv.stride[0], conv.padding[0]),
            (2, width, conv.stride[1], conv.padding[2]),
        )
    )
    depth = 1 if isinstance(conv, ir.DepthwiseConv2D) else x[3]
    return rows * cols * y[3] * depth, rows * y[2] * y[3]
