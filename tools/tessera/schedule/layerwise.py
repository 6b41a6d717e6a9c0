"""Layer by layer: one stage for each operator, every map whole."""

from __future__ import annotations

from tessera.ir.graph import Graph
from tessera.schedule.schedule import Schedule, Stage
from tessera.schedule.views import is_view


def make_schedule(graph: Graph) -> Schedule:
    order = [i for i, op in enumerate(graph.ops) if not is_view(op.attrs)]
    return Schedule(graph, tuple(Stage((i,)) for i in order))
