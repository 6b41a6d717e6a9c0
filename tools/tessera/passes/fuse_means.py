"""Global averages that a converter wrote as two means."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.attrs import Mean, MeanOfMeans
from tessera.ir.graph import Graph, Op, TensorId


def fuse_means(graph: Graph) -> Graph:
    """Before: MEAN over columns -> t -> MEAN over rows. After: one operator that runs over the map's rows as they come.

    Only where nothing else reads t. Both roundings stay.
    """
    producers, readers = graph.producer(), graph.consumers()
    fused: dict[int, Op] = {}
    gone: set[TensorId] = set()
    for n, op in enumerate(graph.ops):
        if op.attrs != Mean((1,), True) or op.inputs[0] not in producers:
            continue
        between, before = op.inputs[0], graph.ops[producers[op.inputs[0]]]
        x, t = graph.tensor(before.inputs[0]), graph.tensor(between)
        if before.attrs != Mean((2,), True) or len(x.shape) != 4 or x.shape[0] != 1:
            continue
        if len(readers[between]) == 1 and between not in graph.outputs:
            fused[n] = replace(op, attrs=MeanOfMeans(t.q.scale, t.q.zero_point), inputs=before.inputs)
            gone.add(between)
    ops = (fused.get(n, op) for n, op in enumerate(graph.ops))
    return replace(graph, ops=tuple(op for op in ops if not gone.intersection(op.outputs)))
