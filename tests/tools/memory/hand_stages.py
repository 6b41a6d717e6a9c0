"""Schedules with a streamed stage written by hand, and their plans."""

from __future__ import annotations

from small_graphs import Builder

from tessera.memory.plan import MemoryPlan
from tessera.memory.planner import plan_memory
from tessera.schedule.schedule import MapPlan, Schedule, Stage, Sweep


def sliding() -> tuple[Schedule, MemoryPlan]:
    """A stage of a depthwise convolution and a pointwise one that halves the channels, from whole map to whole map."""
    b = Builder()
    x = b.lookup(b.input(1, 8, 6, 8))
    graph = b.graph(b.conv(b.depthwise(x, (3, 3), padding=(1, 1, 1, 1)), 4))
    middle, last = (op.outputs[0] for op in graph.ops[1:])
    row, cols = Sweep(1, 0, 1, 0, 1), Sweep(1, 0, 6, 0, 6)
    maps = (MapPlan(middle, row, cols, 0, windowed=True), MapPlan(last, row, cols, 8))
    schedule = Schedule(graph, (Stage((0,)), Stage((1, 2), maps, 8)))
    return schedule, plan_memory(schedule)


def in_place() -> tuple[Schedule, MemoryPlan]:
    """A lookup between two convolutions, all in windows."""
    b = Builder()
    graph = b.graph(b.conv(b.lookup(b.conv(b.input(1, 4, 4, 2), 8)), 2))
    first, second, last = (op.outputs[0] for op in graph.ops)
    row, cols = Sweep(1, 0, 1, 0, 1), Sweep(1, 0, 2, 0, 2)
    windows = (MapPlan(t, row, cols, 0, windowed=True) for t in (first, second))
    maps = (*windows, MapPlan(last, row, cols, 4))
    schedule = Schedule(graph, (Stage((0, 1, 2), maps, 4, 2),))
    return schedule, plan_memory(schedule)
