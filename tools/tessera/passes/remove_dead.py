"""Operators that no output depends on."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.graph import Graph, Op


def remove_dead(graph: Graph) -> Graph:
    """Before: a -> f -> out, a -> g -> unused. After: a -> f -> out. Inputs of the graph stay, read or not."""
    needed = set(graph.outputs)
    kept: list[Op] = []
    for op in reversed(graph.ops):
        if needed.intersection(op.outputs):
            kept.append(op)
            needed.update(op.inputs)
    return replace(graph, ops=tuple(reversed(kept)))
