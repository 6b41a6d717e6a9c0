"""Operators that do nothing, or nothing but rename dimensions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.arith.multipliers import resize_nearest_indices
from tessera.ir.attrs import (
    Concatenation,
    Lookup,
    Pack,
    Pad,
    Reshape,
    ResizeNearest,
    Split,
    StridedSlice,
    Transpose,
)
from tessera.ir.graph import Graph, Op, Tensor, TensorId
from tessera.passes.rewire import rewire


def drop_identities(graph: Graph) -> Graph:
    """Before: a -> TRANSPOSE that moves only dimensions of size 1 -> RESHAPE to a's shape -> f. After: a -> f.

    An operator that keeps all bytes in order becomes a RESHAPE; a RESHAPE of a RESHAPE reads the first one's input; a
    RESHAPE that changes neither shape nor scale goes.
    """
    reshaped: dict[TensorId, TensorId] = {}
    instead: dict[TensorId, TensorId] = {}
    kept: list[Op] = []
    for op in graph.ops:
        if not _keeps_bytes(graph, op):
            kept.append(op)
            continue
        y = op.outputs[0]
        x = instead.get(op.inputs[0], op.inputs[0])
        x = reshaped.get(x, x)
        edge_to_edge = y in graph.outputs and (x in graph.inputs or graph.tensors[x].is_constant)
        if _is_same(graph.tensors[x], graph.tensors[y]) and not edge_to_edge:
            instead[y] = x
        else:
            reshaped[y] = x
            kept.append(replace(op, attrs=Reshape(), inputs=(x,)))
    return rewire(graph, tuple(kept), instead)


def _is_same(x: Tensor, y: Tensor) -> bool:
    same_quant = x.quant.same_as(y.quant) if x.quant is not None else y.quant is None
    return x.shape == y.shape and x.dtype is y.dtype and same_quant


def _keeps_bytes(graph: Graph, op: Op) -> bool:
    """All bytes of the one operand come out, in order."""
    x, y, attrs = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]], op.attrs
    match attrs:
        case Reshape():
            return True
        case Lookup():
            return _is_same(x, y) and np.array_equal(attrs.table, np.arange(256))
        case Transpose():
            moved = [p for p in attrs.perm if x.shape[p] != 1]
            return moved == sorted(moved)
        case Concatenation() | Pack():
            return len(op.inputs) == 1
        case Split():
            return len(op.outputs) == 1
        case Pad():
            return x.shape == y.shape
        case StridedSlice():
            return x.size == y.size and all(s == 1 or n == 1 for s, n in zip(attrs.step, x.shape, strict=True))
        case ResizeNearest():
            flags = attrs.align_corners, attrs.half_pixel_centers
            indices = (resize_nearest_indices(x.shape[i], y.shape[i], *flags) for i in (1, 2))
            return x.shape == y.shape and all(np.array_equal(i, np.arange(i.size)) for i in indices)
        case _:
            return False
