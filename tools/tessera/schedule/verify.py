"""Checks a schedule against its graph, knowing nothing of how it was made."""

from __future__ import annotations

from tessera.ir.attrs import Reshape
from tessera.ir.graph import Graph, TensorId
from tessera.schedule.schedule import InputMode, Schedule
from tessera.schedule.verify_stage import ScheduleError, reduces, verify_stage

__all__ = ["ScheduleError", "verify_schedule"]


def verify_schedule(schedule: Schedule) -> None:
    """Every operator but the views runs exactly once, after what it reads exists; what a streamed stage reads of its
    own maps lies where it looks at that moment."""
    graph = schedule.graph
    produced = {t for op in graph.ops for t in op.outputs}
    pulled = {m.tensor for stage in schedule.stages for m in stage.maps} - produced
    constants = {TensorId(i) for i, t in enumerate(graph.tensors) if t.is_constant}
    whole = {*constants, *(t for t in graph.inputs if t not in pulled)}
    partial: dict[TensorId, int] = {}  # and the stage that keeps rows of it
    ran: set[int] = set()
    for number, stage in enumerate(schedule.stages):
        _grow_by_views(graph, whole)
        _check_operators(schedule, number, ran)
        ran.update(stage.ops)
        if stage.is_layer:
            _check_layer(schedule, number, whole, partial)
            whole.update(t for i in stage.ops for t in graph.ops[i].outputs)
        else:
            _check_streamed(schedule, number, whole, partial)
            for m in stage.maps:
                if reduces(graph, stage, m.tensor) or (m.lines == graph.tensor(m.tensor).shape[1] and not m.windowed):
                    whole.add(m.tensor)
                else:
                    partial[m.tensor] = number
    for i, op in enumerate(graph.ops):
        if not isinstance(op.attrs, Reshape) and i not in ran:
            raise ScheduleError(f"{op.name} never runs")
    _grow_by_views(graph, whole)
    for t in graph.outputs:
        if t not in whole:
            kept = f", of which stage {partial[t]} keeps parts," if t in partial else ""
            raise ScheduleError(f"output {graph.tensor(t).name}{kept} is never made")


def _grow_by_views(graph: Graph, known: set[TensorId]) -> None:
    for op in graph.ops:
        if isinstance(op.attrs, Reshape) and op.inputs[0] in known:
            known.update(op.outputs)


def _check_operators(schedule: Schedule, number: int, ran: set[int]) -> None:
    graph, stage = schedule.graph, schedule.stages[number]
    if not stage.ops:
        raise ScheduleError(f"stage {number} is empty")
    for at, i in enumerate(stage.ops):
        if not 0 <= i < len(graph.ops):
            raise ScheduleError(f"stage {number} runs operator {i} of {len(graph.ops)}")
        if isinstance(graph.ops[i].attrs, Reshape):
            raise ScheduleError(f"stage {number} runs {graph.ops[i].name}, a view")
        if i in ran or i in stage.ops[:at]:
            raise ScheduleError(f"{graph.ops[i].name} runs twice, the second time in stage {number}")


def _check_layer(schedule: Schedule, number: int, whole: set[TensorId], partial: dict[TensorId, int]) -> None:
    graph, stage = schedule.graph, schedule.stages[number]
    if len(stage.ops) > 1 or (stage.row_ticks, stage.col_ticks) != (1, 1):
        raise ScheduleError(f"stage {number} has no maps and is no layer")
    for t in graph.ops[stage.ops[0]].inputs:
        _check_whole(graph, number, graph.ops[stage.ops[0]].name, t, whole, partial)


def _check_whole(
    graph: Graph, number: int, name: str, tensor: TensorId, whole: set[TensorId], partial: dict[TensorId, int]
) -> None:
    if tensor in whole:
        return
    read = f"{name} in stage {number} reads {graph.tensor(tensor).name}"
    if tensor in partial:
        raise ScheduleError(f"{read}, of which stage {partial[tensor]} keeps parts")
    raise ScheduleError(f"{read} before it exists")


def _check_streamed(schedule: Schedule, number: int, whole: set[TensorId], partial: dict[TensorId, int]) -> None:
    """Maps are those of the stage; what comes from outside exists, what comes from inside was made at the same tick."""
    graph, stage = schedule.graph, schedule.stages[number]
    made = [t for i in stage.ops for t in graph.ops[i].outputs]
    planned = [m.tensor for m in stage.maps]
    pulled = planned[: max(0, len(planned) - len(made))]
    if planned[len(pulled) :] != made or len(set(planned)) != len(planned):
        odd = next((t for t in planned if t not in made), (made or planned)[0])
        raise ScheduleError(f"stage {number} plans maps made elsewhere or in another order: {graph.tensor(odd).name}")
    for t in pulled:
        _check_pulled(schedule, number, t, whole, partial)
    known = set(pulled)
    for i in stage.ops:
        op = graph.ops[i]
        for t in op.inputs:
            if t not in planned:
                _check_whole(graph, number, op.name, t, whole, partial)
            elif t not in known:
                raise ScheduleError(f"{op.name} in stage {number} reads {graph.tensor(t).name} before it exists")
        known.update(op.outputs)
    verify_stage(schedule, number)


def _check_pulled(
    schedule: Schedule, number: int, tensor: TensorId, whole: set[TensorId], partial: dict[TensorId, int]
) -> None:
    graph, stage = schedule.graph, schedule.stages[number]
    name = graph.tensor(tensor).name
    if tensor not in graph.inputs:
        raise ScheduleError(f"stage {number} keeps rows of {name}, made elsewhere")
    if schedule.input_mode is InputMode.RESIDENT:
        raise ScheduleError(f"stage {number} pulls {name}, which is resident")
    if tensor in whole or (tensor in partial and schedule.input_mode is InputMode.STREAMED):
        raise ScheduleError(f"stage {number} pulls {name} again")
    if not any(tensor in graph.ops[i].inputs for i in stage.ops):
        raise ScheduleError(f"stage {number} pulls {name} and does not read it")
