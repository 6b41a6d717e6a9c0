"""Checks a schedule against its graph, knowing nothing of how it was made."""

from __future__ import annotations

from tessera.ir.attrs import Reshape
from tessera.ir.graph import TensorId
from tessera.schedule.schedule import Schedule


class ScheduleError(Exception):
    """A schedule breaks an invariant: a bug in the scheduler, not in the model."""


def verify_schedule(schedule: Schedule) -> None:
    """Every operator but the views runs exactly once, after what it reads; partial maps are made in their stage."""
    graph = schedule.graph
    known: set[TensorId] = {*graph.inputs, *(TensorId(i) for i, t in enumerate(graph.tensors) if t.is_constant)}
    ran: set[int] = set()
    for number, stage in enumerate(schedule.stages):
        if not stage.ops:
            raise ScheduleError(f"stage {number} is empty")
        made: set[TensorId] = set()
        for i in stage.ops:
            if not 0 <= i < len(graph.ops):
                raise ScheduleError(f"stage {number} runs operator {i} of {len(graph.ops)}")
            op = graph.ops[i]
            if isinstance(op.attrs, Reshape):
                raise ScheduleError(f"stage {number} runs {op.name}, a view")
            if i in ran:
                raise ScheduleError(f"{op.name} runs twice, the second time in stage {number}")
            _grow_by_views(schedule, known)
            for t in op.inputs:
                if t not in known:
                    raise ScheduleError(f"{op.name} in stage {number} reads {graph.tensor(t).name} before it exists")
            ran.add(i)
            known.update(op.outputs)
            made.update(op.outputs)
        for part in stage.maps:
            if part.tensor not in made:
                raise ScheduleError(f"stage {number} keeps rows of {graph.tensor(part.tensor).name}, made elsewhere")
            if part.rows < 1 or part.cols < 1:
                raise ScheduleError(f"stage {number} keeps nothing of {graph.tensor(part.tensor).name}")
    for i, op in enumerate(graph.ops):
        if not isinstance(op.attrs, Reshape) and i not in ran:
            raise ScheduleError(f"{op.name} never runs")
    _grow_by_views(schedule, known)
    for t in graph.outputs:
        if t not in known:
            raise ScheduleError(f"output {graph.tensor(t).name} is never made")


def _grow_by_views(schedule: Schedule, known: set[TensorId]) -> None:
    for op in schedule.graph.ops:
        if isinstance(op.attrs, Reshape) and op.inputs[0] in known:
            known.update(op.outputs)
