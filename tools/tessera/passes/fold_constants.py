"""Operators whose operands are all known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.interpreter.run import evaluate
from tessera.ir.graph import Graph, Op


def fold_constants(graph: Graph) -> Graph:
    """Before: constant -> RESHAPE -> t. After: constant t. An output of the graph is computed even so."""
    tensors = list(graph.tensors)
    kept: list[Op] = []
    for op in graph.ops:
        if all(tensors[i].is_constant for i in op.inputs) and not set(op.outputs) & set(graph.outputs):
            values = evaluate(graph, op, [t.data for t in tensors])
            for i, value in zip(op.outputs, values, strict=True):
                tensors[i] = replace(tensors[i], data=np.ascontiguousarray(value).reshape(tensors[i].shape))
        else:
            kept.append(op)
    return replace(graph, tensors=tuple(tensors), ops=tuple(kept))
