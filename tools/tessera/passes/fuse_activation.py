"""Activations that are operators of their own but only clamp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.arith.unary import byte_values
from tessera.ir.attrs import CLAMPING, Clamp, Lookup
from tessera.ir.graph import Graph, Op, TensorId


def fuse_activation(graph: Graph) -> Graph:
    """Before: CONV_2D -> t -> RELU6 -> y, t and y of one scale and zero point. After: CONV_2D, clamped more -> y."""
    producers, readers = graph.producer(), graph.consumers()
    fused: dict[int, Op] = {}  # operator index -> what stands in its place
    gone: set[TensorId] = set()
    for n, op in enumerate(graph.ops):
        limits = _limits(graph, op)
        t = op.inputs[0] if op.inputs else None
        if limits is None or t is None or t not in producers or t in graph.outputs or len(readers[t]) != 1:
            continue
        before = fused.get(producers[t], graph.ops[producers[t]])
        if isinstance(before.attrs, CLAMPING):
            low, high = (min(max(v, limits[0]), limits[1]) for v in before.attrs.clamp)
            fused[n] = replace(before, attrs=replace(before.attrs, clamp=(low, high)), outputs=op.outputs)
            gone.add(t)
    ops = (fused.get(n, op) for n, op in enumerate(graph.ops))
    return replace(graph, ops=tuple(op for op in ops if not gone.intersection(op.outputs)))


def _limits(graph: Graph, op: Op) -> Clamp | None:
    """(low, high) where `op` is min(max(value, low), high) and nothing else."""
    if not isinstance(op.attrs, Lookup):
        return None
    x, y = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    if x.dtype is not y.dtype or not x.q.same_as(y.quant):
        return None
    values, results = byte_values(x.dtype), op.attrs.table.view(y.dtype.numpy).astype(np.int64)
    low, high = int(results.min()), int(results.max())
    return (low, high) if np.array_equal(results, np.clip(values, low, high)) else None
