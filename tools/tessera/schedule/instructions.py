"""What an operator costs in instructions, estimated: the edge weights of the schedule search.

Fitted to the portable kernels on a simulated Cortex-M4 (QEMU -icount, `./inv run` of the project's models): within 15 %
for every kind. The search compares schedules of one model, where the kernels' share is the same; what differs is
recomputed operators, copied bytes and pieces.
"""

from __future__ import annotations

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op
from tessera.schedule.cost import op_macs

PER_PIECE = 160
"""Instructions around each span of a row: sweep, row pointers, call."""
PER_COPIED_BYTE = 1.0
"""Of a window's pixels that go to the kept rows or to the next span."""
PER_PULLED_BYTE = 1.0


def op_instructions(graph: Graph, op: Op) -> int:
    """One run over the whole map."""
    out, macs = graph.tensor(op.outputs[0]).size, op_macs(graph, op)
    match op.attrs:
        case ir.Conv2D() | ir.FullyConnected():
            return 7 * macs + 45 * out
        case ir.DepthwiseConv2D():
            return 11 * macs + 60 * out
        case ir.AvgPool2D() | ir.MaxPool2D() as pool:
            return out * (20 + 9 * pool.kernel[0] * pool.kernel[1])
        case ir.Add() | ir.Sub():
            return 70 * out
        case ir.Mul() | ir.PRelu():
            return 40 * out
        case ir.Mean() | ir.MeanOfMeans():
            return 8 * graph.tensor(op.inputs[0]).size
        case ir.Softmax():
            return 60 * out
        case ir.ResizeBilinear():
            return 40 * out
        case _:
            return 6 * out
