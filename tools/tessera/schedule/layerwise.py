"""Layer by layer: one stage for each operator, every map whole."""

from __future__ import annotations

from tessera.ir.graph import Graph
from tessera.schedule.reorder import find_order
from tessera.schedule.schedule import Schedule, Stage
from tessera.schedule.verify import verify_schedule


def make_schedule(graph: Graph, *, max_states: int = 20_000) -> Schedule:
    """One stage for each operator that is not a view, in the order of least peak memory (see reorder.py)."""
    schedule = Schedule(graph, tuple(Stage((op,)) for op in find_order(graph, max_states=max_states).ops))
    verify_schedule(schedule)
    return schedule
