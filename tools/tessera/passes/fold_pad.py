"""Explicit padding in front of convolutions."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.attrs import Conv2D, DepthwiseConv2D, Pad, Padding
from tessera.ir.graph import Graph, Op, TensorId
from tessera.passes.rewire import rewire


def fold_pad(graph: Graph) -> Graph:
    """Before: PAD with the zero point -> CONV_2D or DEPTHWISE_CONV_2D. After: the convolution with larger padding.

    Only where every reader of the padded map is such a convolution, so that the map is gone.
    """
    folded: dict[TensorId, Padding] = {}
    instead: dict[TensorId, TensorId] = {}
    for op in graph.ops:
        if _is_foldable(graph, op):
            assert isinstance(op.attrs, Pad)
            _, (top, bottom), (left, right), _ = op.attrs.amounts
            folded[op.outputs[0]] = (top, bottom, left, right)
            instead[op.outputs[0]] = op.inputs[0]
    kept = tuple(_widened(op, folded) for op in graph.ops if op.outputs[0] not in folded)
    return rewire(graph, kept, instead)


def _widened(op: Op, folded: dict[TensorId, Padding]) -> Op:
    if not op.inputs or op.inputs[0] not in folded or not isinstance(op.attrs, Conv2D | DepthwiseConv2D):
        return op
    a, b = op.attrs.padding, folded[op.inputs[0]]
    padding = (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])
    return replace(op, attrs=replace(op.attrs, padding=padding))


def _is_foldable(graph: Graph, op: Op) -> bool:
    if not isinstance(op.attrs, Pad) or len(op.attrs.amounts) != 4:
        return False
    x, y = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    readers = [r for r in graph.ops if op.outputs[0] in r.inputs]
    return (
        op.attrs.amounts[0] == op.attrs.amounts[3] == (0, 0)
        and x.shape[0] == 1
        and op.attrs.value == y.q.zero_point
        and x.q.same_as(y.quant)
        and op.outputs[0] not in graph.outputs
        and all(isinstance(r.attrs, Conv2D | DepthwiseConv2D) and r.inputs[0] == op.outputs[0] for r in readers)
    )
