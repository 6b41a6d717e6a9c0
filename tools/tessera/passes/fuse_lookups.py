"""Chains of unary operators."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.attrs import Lookup
from tessera.ir.graph import Graph, Op, TensorId


def fuse_lookups(graph: Graph) -> Graph:
    """Before: LOGISTIC -> t -> QUANTIZE. After: one table. Only where nothing else reads t."""
    producers, readers = graph.producer(), graph.consumers()
    ops: list[Op] = list(graph.ops)
    gone: set[TensorId] = set()
    for n, op in enumerate(graph.ops):
        t = op.inputs[0] if op.inputs else None
        if not isinstance(op.attrs, Lookup) or t not in producers or t in graph.outputs or len(readers[t]) != 1:
            continue
        before = ops[producers[t]]
        if isinstance(before.attrs, Lookup):
            table = op.attrs.table[before.attrs.table]
            origin = f"{before.attrs.origin}+{op.attrs.origin}"
            ops[n] = replace(op, attrs=Lookup(table, origin), inputs=before.inputs)
            gone.add(t)
    return replace(graph, ops=tuple(op for op in ops if not gone.intersection(op.outputs)))
