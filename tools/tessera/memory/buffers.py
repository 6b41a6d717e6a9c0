"""Buffers of a schedule: which tensors share bytes, when they live, and which pairs may overlap."""

from __future__ import annotations

from tessera.ir.attrs import DepthwiseConv2D, MeanOfMeans
from tessera.ir.graph import Graph, Op, TensorId
from tessera.kernels.scratch import scratch_bytes
from tessera.memory.overlap import lead_bytes, runs_in_place, streamed_lead_bytes
from tessera.memory.plan import Buffer, Role, SafeOverlap
from tessera.schedule.schedule import MapPlan, Schedule, Stage
from tessera.schedule.slots import make_slots, stage_slots
from tessera.schedule.streamable import streamable
from tessera.schedule.views import view_roots


def make_buffers(schedule: Schedule) -> tuple[Buffer, ...]:
    """One buffer for each activation and its views that is whole, up to three for a map of which only parts exist, and
    one for the scratch of each stage, in the order of birth.

    Resident graph inputs live from 0, graph outputs to the number of slots + 1: at the time behind the last slot only
    the outputs are alive. What a streamed stage makes or reads whole lives through all its slots: its operators take
    turns at every tick.
    """
    graph, roots = schedule.graph, view_roots(schedule.graph)
    produced = graph.producer()
    pulled = {m.tensor for stage in schedule.stages for m in stage.maps if m.tensor not in produced}
    start: dict[TensorId, int] = {t: 0 for t in graph.inputs if t not in pulled}
    end: dict[TensorId, int] = dict.fromkeys(start, 1)
    nbytes = {t: graph.tensor(t).nbytes for t in roots}
    parts: list[Buffer] = []
    for number, (stage, (first, last)) in enumerate(zip(schedule.stages, stage_slots(schedule), strict=True)):
        ops = [graph.ops[i] for i in stage.ops]
        partial: set[TensorId] = set()
        if stage.is_layer:
            start |= {t: first for op in ops for t in op.outputs}
            end |= {t: last for op in ops for t in op.outputs}
        for m in stage.maps:
            op = graph.ops[produced[m.tensor]] if m.tensor in produced else None
            if op is not None and is_reduction(graph, op):
                nbytes[m.tensor] = sums_bytes(graph, op)
            elif not is_whole(graph, m):
                partial.add(m.tensor)
                parts += _parts(schedule, number, m, first, last)
                continue
            start[m.tensor], end[m.tensor] = first, last
        for t in (roots[t] for op in ops for t in op.inputs):
            if t not in partial:
                end[t] = max(last, end.get(t, 0))
        scratch = max(scratch_bytes(graph, op, schedule.kernels, streamed=not stage.is_layer) for op in ops)
        if scratch:
            t = ops[0].outputs[0]
            parts.append(Buffer(graph.tensor(t).name, (t,), scratch, first, last, Role.SCRATCH, number))
    end |= {roots[t]: len(make_slots(schedule)) + 1 for t in graph.outputs}
    shared: dict[TensorId, list[TensorId]] = {}
    for t, root in roots.items():
        shared.setdefault(root, []).append(t)
    whole = [
        Buffer(graph.tensor(t).name, (t, *(v for v in shared[t] if v != t)), nbytes[t], start[t], end[t]) for t in start
    ]
    roles = tuple(Role)
    return tuple(sorted([*whole, *parts], key=lambda b: (b.start, b.tensors[0], b.stage, roles.index(b.role))))


def is_whole(graph: Graph, part: MapPlan) -> bool:
    """The map lies in memory as it would layer by layer. Not for reductions, whose plan speaks of their input."""
    return not part.windowed and part.lines == graph.tensor(part.tensor).shape[1]


def is_reduction(graph: Graph, op: Op) -> bool:
    described = streamable(graph, op)
    return described is not None and described.reduces


def sums_bytes(graph: Graph, op: Op) -> int:
    """Of the int32 sums that a reduction inside a stage keeps: of the map, and for a mean of means also of the row."""
    channels = graph.tensor(op.outputs[0]).shape[-1]
    return (8 if isinstance(op.attrs, MeanOfMeans) else 4) * channels


def _parts(schedule: Schedule, number: int, part: MapPlan, first: int, last: int) -> list[Buffer]:
    """The buffers of a map of which a stage, at slots [first, last), keeps only some rows and columns."""
    graph, t = schedule.graph, part.tensor
    _, _, width, channels = graph.tensor(t).shape
    name = graph.tensor(t).name
    buffers: list[Buffer] = []
    if part.lines:
        buffers.append(Buffer(name, (t,), part.lines * width * channels, first, last, Role.LINES, number))
    if part.windowed:
        users = _window_slots(schedule, number, t)
        nbytes = part.rows.size * (part.left + part.cols.size) * channels
        buffers.append(Buffer(name, (t,), nbytes, users[0], users[-1] + 1, Role.WINDOW, number))
    if part.left:
        nbytes = part.rows.size * part.left * channels
        buffers.append(Buffer(name, (t,), nbytes, first, last, Role.LEFT, number))
    return buffers


def _window_slots(schedule: Schedule, number: int, tensor: TensorId) -> list[int]:
    """The slot that fills a window and those that read it, in order."""
    graph, stage = schedule.graph, schedule.stages[number]
    first, last = stage_slots(schedule)[number]
    pulls = [m.tensor for m in stage.maps][: last - first - len(stage.ops)]
    slots = [first + k for k, t in enumerate(pulls) if t == tensor]
    for k, i in enumerate(stage.ops):
        if tensor in (*graph.ops[i].inputs, *graph.ops[i].outputs):
            slots.append(first + len(pulls) + k)
    return slots


def make_overlaps(schedule: Schedule, buffers: tuple[Buffer, ...]) -> tuple[SafeOverlap, ...]:
    """The pairs that need not be disjoint: of a layer (output, dying input), of a streamed stage (map that it makes,
    map that dies in it) and (window, window that is read for the last time)."""
    whole = {t: i for i, buffer in enumerate(buffers) if buffer.role is Role.WHOLE for t in buffer.tensors}
    windows = {(b.stage, b.tensors[0]): i for i, b in enumerate(buffers) if b.role is Role.WINDOW}
    overlaps: list[SafeOverlap] = []
    for number, (stage, (_, last)) in enumerate(zip(schedule.stages, stage_slots(schedule), strict=True)):
        dying = {t: i for t, i in whole.items() if buffers[i].end == last}
        if stage.is_layer:
            overlaps += _layer_overlaps(schedule.graph, stage, whole, dying)
        else:
            overlaps += _streamed_overlaps(schedule.graph, stage, whole, dying)
            mine = {t: i for (owner, t), i in windows.items() if owner == number}
            overlaps += _window_overlaps(schedule.graph, stage, buffers, mine)
    return tuple(overlaps)


def _layer_overlaps(
    graph: Graph, stage: Stage, whole: dict[TensorId, int], dying: dict[TensorId, int]
) -> list[SafeOverlap]:
    op = graph.ops[stage.ops[0]]
    in_place = isinstance(op.attrs, DepthwiseConv2D)
    leads: dict[int, list[int | None]] = {}
    for index, t in enumerate(op.inputs):
        if t in dying:
            leads.setdefault(dying[t], []).append(lead_bytes(graph, op, index))
    overlaps: list[SafeOverlap] = []
    for source, needs in leads.items():
        known = [lead for lead in needs if lead is not None]
        if len(known) == len(needs) and len(op.outputs) == 1:
            overlaps.append(SafeOverlap(whole[op.outputs[0]], source, max(known), in_place))
    return overlaps


def _streamed_overlaps(
    graph: Graph, stage: Stage, whole: dict[TensorId, int], dying: dict[TensorId, int]
) -> list[SafeOverlap]:
    made = {m.tensor for m in stage.maps}
    read = {t for i in stage.ops for t in graph.ops[i].inputs}
    overlaps: list[SafeOverlap] = []
    for target in stage.maps:
        if target.tensor not in whole:
            continue
        for source in sorted(read & set(dying)):
            alias = [t for t in read if t != source and dying.get(t) == dying[source]]
            if source in made or alias:
                continue
            lead = streamed_lead_bytes(graph, stage, target, source)
            if lead is not None:
                overlaps.append(SafeOverlap(whole[target.tensor], dying[source], lead))
    return overlaps


def _window_overlaps(
    graph: Graph, stage: Stage, buffers: tuple[Buffer, ...], windows: dict[TensorId, int]
) -> list[SafeOverlap]:
    plans = {m.tensor: m for m in stage.maps}
    overlaps: list[SafeOverlap] = []
    for op in (graph.ops[i] for i in stage.ops):
        target = windows.get(op.outputs[0])
        if target is None:
            continue
        for t in dict.fromkeys(op.inputs):
            source = windows.get(t)
            if source is None or buffers[source].end != buffers[target].start + 1:
                continue
            if runs_in_place(graph, op, plans[op.outputs[0]], plans[t]):
                overlaps.append(SafeOverlap(target, source, 0))
    return overlaps
