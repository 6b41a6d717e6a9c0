"""Putting one tensor in the place of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tessera.ir.graph import Graph, Op, TensorId


def rewire(graph: Graph, ops: tuple[Op, ...], instead: Mapping[TensorId, TensorId]) -> Graph:
    """`graph` with `ops`, in which every reader of a key of `instead` reads its value (followed to the end)."""

    def final(i: TensorId) -> TensorId:
        while i in instead:
            i = instead[i]
        return i

    return replace(
        graph,
        ops=tuple(replace(op, inputs=tuple(final(i) for i in op.inputs)) for op in ops),
        outputs=tuple(final(i) for i in graph.outputs),
    )
