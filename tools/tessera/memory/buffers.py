"""Buffers of a schedule: which tensors share bytes, when they live, and which pairs may overlap."""

from __future__ import annotations

from tessera.ir.graph import TensorId
from tessera.memory.overlap import lead_bytes
from tessera.memory.plan import Buffer, SafeOverlap
from tessera.schedule.schedule import Schedule
from tessera.schedule.views import view_roots


def make_buffers(schedule: Schedule) -> tuple[Buffer, ...]:
    """One buffer for each activation and its views, in the order of birth.

    Graph inputs live from 0, graph outputs to len(stages) + 1: at time len(stages) only the outputs are alive.
    """
    assert not any(stage.maps for stage in schedule.stages), "only whole maps have a buffer so far"
    graph, roots, end_of_time = schedule.graph, view_roots(schedule.graph), len(schedule.stages) + 1
    start: dict[TensorId, int] = {t: 0 for t in graph.inputs}
    end: dict[TensorId, int] = {t: 1 for t in graph.inputs}
    for time, stage in enumerate(schedule.stages):
        for op in (graph.ops[i] for i in stage.ops):
            for t in op.inputs:
                end[roots[t]] = max(time + 1, end.get(roots[t], 0))
            for t in op.outputs:
                start[t], end[t] = time, time + 1
    end |= {roots[t]: end_of_time for t in graph.outputs}
    shared: dict[TensorId, list[TensorId]] = {}
    for t, root in roots.items():
        shared.setdefault(root, []).append(t)
    return tuple(
        Buffer(graph.tensor(t).name, (t, *(v for v in shared[t] if v != t)), graph.tensor(t).nbytes, start[t], end[t])
        for t in sorted(start, key=lambda t: (start[t], t))
    )


def make_overlaps(schedule: Schedule, buffers: tuple[Buffer, ...]) -> tuple[SafeOverlap, ...]:
    """The pairs (output, dying input) of every stage of one operator that need not be disjoint."""
    graph = schedule.graph
    buffer_of = {t: i for i, buffer in enumerate(buffers) for t in buffer.tensors}
    overlaps: list[SafeOverlap] = []
    for time, stage in enumerate(schedule.stages):
        if len(stage.ops) != 1:
            continue
        op = graph.ops[stage.ops[0]]
        leads: dict[int, list[int | None]] = {}
        for index, t in enumerate(op.inputs):
            if t in buffer_of and buffers[buffer_of[t]].end == time + 1:
                leads.setdefault(buffer_of[t], []).append(lead_bytes(graph, op, index))
        for source, needs in leads.items():
            known = [lead for lead in needs if lead is not None]
            if len(known) == len(needs) and len(op.outputs) == 1:
                overlaps.append(SafeOverlap(time, buffer_of[op.outputs[0]], source, max(known)))
    return tuple(overlaps)
