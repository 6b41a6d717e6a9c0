"""What an operator costs in instructions, estimated: the edge weights of the schedule search.

Fitted to the portable kernels on a simulated Cortex-M4 (QEMU -icount, arm-none-eabi-gcc 12.2 -O2, 300 steps of seven
models): all steps of a kind together within 2 % for convolutions, sums, products and means, within 20 % for the rest
but small concatenations. Between schedules of one model the kernels' share is the same; what differs is what is
computed again, bytes that are copied, and pieces.
"""

from __future__ import annotations

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op
from tessera.schedule.cost import op_macs

PER_PIECE = 600
"""Around each span of a row: ticks, sweeps, row pointers, calls. Six models streamed take 0.5 to 4 % more instructions
than layer by layer; this accounts for that within a factor of 1.6 for each."""
PER_COPIED_BYTE = 0.6
"""Of a window's pixels that go to the kept rows or to the next span."""
PER_PULLED_BYTE = 1.0
"""Whatever the application does to bring in a row."""


def op_instructions(graph: Graph, op: Op) -> int:
    """One run over the whole map."""
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
