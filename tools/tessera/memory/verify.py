"""Checks a plan by running the schedule's accesses on address intervals, knowing nothing of how the plan was made.

No live range, lead or overlap of the plan is believed. The schedule is walked backwards to learn what every stage must
leave intact. Then, for what a stage reads for the last time, the walk goes step by step (a step of a layer is an output
row, pixel or element, as the portable kernels work; of a streamed stage it is a row tick): what a step writes must not
touch what this step still reads or any later one will.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op, TensorId
from tessera.kernels.scratch import scratch_bytes
from tessera.memory.plan import MemoryPlan, Role
from tessera.schedule.schedule import MapPlan, Schedule, Stage

Ints = NDArray[np.int64]
Places = dict[tuple[TensorId, Role, int], int]  # (tensor, role, stage; -1 if whole) -> index of its buffer
ELEMENTWISE = ir.Lookup | ir.Add | ir.Sub | ir.Mul | ir.PRelu


class PlanError(Exception):
    """A memory plan breaks an invariant: a bug in the planner, not in the model."""


@dataclass(frozen=True, slots=True)
class Walk:
    """For each step of an operator, in bytes from the start of the tensor: what is written, [write_begin, write_end),
    and what of one input must be intact meanwhile, [need_begin, need_end)."""

    write_begin: Ints
    write_end: Ints
    need_begin: Ints
    need_end: Ints


def verify_plan(schedule: Schedule, plan: MemoryPlan) -> None:
    """Raises PlanError when a byte that is still to be read could be overwritten, or a buffer is missing or outside."""
    graph = schedule.graph
    place = _places(graph, plan)
    needed = {place[t, Role.WHOLE, -1] for t in graph.outputs if (t, Role.WHOLE, -1) in place}
    for number in reversed(range(len(schedule.stages))):
        stage = schedule.stages[number]
        check = _check_layer if stage.is_layer else _check_streamed
        scratch = _scratch(schedule, plan, place, number)
        after, needed = needed, check(schedule, plan, place, number, needed)
        touched = {*after, *needed, *_of_stage(schedule, place, number)}
        _all_apart(plan, ((a, b) for a in scratch for b in touched), f"scratch of stage {number}")
    made = {t for op in graph.ops for t in op.outputs}
    pulled = {m.tensor for stage in schedule.stages for m in stage.maps} - made
    alive = needed | {_whole(graph, place, t, "at the start") for t in graph.inputs if t not in pulled}
    _all_apart(plan, combinations(sorted(alive), 2), "at the start")


def _check_layer(schedule: Schedule, plan: MemoryPlan, place: Places, number: int, needed: set[int]) -> set[int]:
    """Given what must be intact after the stage, returns what must be intact before it."""
    graph = schedule.graph
    for i in reversed(schedule.stages[number].ops):
        op = graph.ops[i]
        where = f"stage {number}, {op.name}"
        read = {t: _whole(graph, place, t, where) for t in op.inputs if not graph.tensor(t).is_constant}
        written = {t: _whole(graph, place, t, where) for t in op.outputs}
        _all_apart(plan, combinations(written.values(), 2), where)
        needed = needed - set(written.values())
        _all_apart(plan, ((a, b) for a in written.values() for b in needed), where)
        for k, t in enumerate(op.inputs):
            for out in op.outputs if t in read and read[t] not in needed else ():
                if _in_itself(graph, plan, op, k, written[out], read[t]):
                    continue
                _check_walk(plan, written[out], read[t], _walk(graph, op, k, out), where)
        needed |= set(read.values())
    return needed


def _check_streamed(schedule: Schedule, plan: MemoryPlan, place: Places, number: int, needed: set[int]) -> set[int]:
    """The same for a stage whose operators take turns at every tick."""
    graph, stage = schedule.graph, schedule.stages[number]
    where = f"stage {number}"
    ops = [graph.ops[i] for i in stage.ops]
    maker = {t: op for op in ops for t in op.outputs}
    made: dict[int, MapPlan] = {}  # whole maps
    kept: list[int] = []  # lines, columns left, running sums
    windows: list[tuple[int, MapPlan]] = []
    for part in stage.maps:
        op = maker.get(part.tensor)
        if op is not None and _reduces(graph, op):
            sums = (2 if isinstance(op.attrs, ir.MeanOfMeans) else 1) * 4 * graph.tensor(part.tensor).size
            kept.append(_room(graph, plan, place, part.tensor, Role.WHOLE, -1, sums))
            continue
        _, height, width, channels = graph.tensor(part.tensor).shape
        if part.lines == height and not part.windowed:
            made[_room(graph, plan, place, part.tensor, Role.WHOLE, -1, height * width * channels)] = part
            continue
        if part.lines:
            lines = part.lines * width * channels
            kept.append(_room(graph, plan, place, part.tensor, Role.LINES, number, lines))
        if part.left:
            left = part.rows.size * part.left * channels
            kept.append(_room(graph, plan, place, part.tensor, Role.LEFT, number, left))
        if part.windowed:
            window = part.rows.size * (part.left + part.cols.size) * channels
            windows.append((_room(graph, plan, place, part.tensor, Role.WINDOW, number, window), part))
    planned = {m.tensor for m in stage.maps}
    read = {t for op in ops for t in op.inputs if t not in planned and not graph.tensor(t).is_constant}
    sources = {t: _whole(graph, place, t, where) for t in sorted(read)}
    lasting = [*made, *kept]
    needed = needed - set(made) - set(kept)
    _all_apart(plan, combinations(lasting, 2), where)
    _all_apart(plan, ((a, b) for a in lasting for b, _ in windows), where)
    _all_apart(plan, ((a, b) for a in (*lasting, *(w for w, _ in windows)) for b in needed), where)
    for (a, x), (b, y) in combinations(windows, 2):
        if _live_together(graph, stage, x, y) and not _in_place(graph, plan, stage, (a, x), (b, y)):
            _apart(plan, a, b, where)
    for t, source in sources.items():
        if source not in needed:
            _all_apart(plan, ((a, source) for a in (*kept, *(w for w, _ in windows))), where)
            for target, part in made.items():
                below = plan.places[target].offset <= plan.places[source].offset
                _check_walk(plan, target, source, _row_ticks(graph, stage, part, t, below), where)
    return needed | set(sources.values())


def _scratch(schedule: Schedule, plan: MemoryPlan, place: Places, number: int) -> list[int]:
    """The scratch buffer of a stage, if its kernels use any."""
    graph, stage = schedule.graph, schedule.stages[number]
    ops = [graph.ops[i] for i in stage.ops]
    nbytes = max(scratch_bytes(graph, op, schedule.kernels, streamed=not stage.is_layer) for op in ops)
    return [_room(graph, plan, place, ops[0].outputs[0], Role.SCRATCH, number, nbytes)] if nbytes else []


def _of_stage(schedule: Schedule, place: Places, number: int) -> set[int]:
    """All that a stage reads or writes but its scratch."""
    stage = schedule.stages[number]
    tensors = {t for i in stage.ops for t in (*schedule.graph.ops[i].inputs, *schedule.graph.ops[i].outputs)}
    tensors |= {m.tensor for m in stage.maps}
    mine = {i for (_, role, owner), i in place.items() if owner == number and role is not Role.SCRATCH}
    return mine | {place[t, Role.WHOLE, -1] for t in tensors if (t, Role.WHOLE, -1) in place}


def _in_itself(graph: Graph, plan: MemoryPlan, op: Op, k: int, target: int, source: int) -> bool:
    """A depthwise convolution reads the channel of a row before it writes that channel of the same or an earlier row,
    and touches no other channel: its output may be its input, pixel by pixel."""
    if not isinstance(op.attrs, ir.DepthwiseConv2D) or k != 0 or plan.places[target] != plan.places[source]:
        return False
    x, y = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    _, rows_read = _window_rows(
        x.shape[1], y.shape[1], graph.tensor(op.inputs[1]).shape[1], op.attrs.stride[0], op.attrs.padding[0]
    )
    pixels_written = np.arange(1, y.shape[1] + 1) * y.shape[2]
    return x.shape[0] == 1 and x.shape[3] == y.shape[3] and bool(np.all(pixels_written <= rows_read * x.shape[2]))


def _places(graph: Graph, plan: MemoryPlan) -> Places:
    """Checks the buffers one by one."""
    if len(plan.places) != len(plan.buffers):
        raise PlanError(f"{len(plan.buffers)} buffers and {len(plan.places)} offsets")
    place: Places = {}
    for i, (buffer, at) in enumerate(zip(plan.buffers, plan.places, strict=True)):
        if not 0 <= at.memory < len(plan.memories):
            raise PlanError(f"{buffer.name}: there is no memory {at.memory}")
        end, room = at.offset + buffer.nbytes, plan.memories[at.memory].bytes
        if at.offset % plan.alignment or at.offset < 0 or end > room:
            raise PlanError(f"{buffer.name}: [{at.offset}, {end}) is misaligned or outside {room} B")
        for t in buffer.tensors:
            if (t, buffer.role, buffer.stage) in place:
                raise PlanError(f"{graph.tensor(t).name} has two places")
            if buffer.role is Role.WHOLE and graph.tensor(t).nbytes > buffer.nbytes:
                raise PlanError(f"{graph.tensor(t).name} needs {graph.tensor(t).nbytes} B, has {buffer.nbytes}")
            place[t, buffer.role, buffer.stage] = i
    views = {op.outputs[0]: op for op in graph.ops if isinstance(op.attrs, ir.Reshape)}
    for t, op in views.items():
        if place.get((op.inputs[0], Role.WHOLE, -1)) != place.get((t, Role.WHOLE, -1)):
            raise PlanError(f"{op.name} is a view but lies elsewhere than what it views")
    for buffer in plan.buffers:
        if sum(t not in views for t in buffer.tensors) != 1:
            raise PlanError(f"{buffer.name}: its tensors are not views of one")
    if plan.arena_bytes < plan.lower_bound_bytes:
        raise PlanError(f"arena of {plan.arena_bytes} B is below its lower bound of {plan.lower_bound_bytes} B")
    return place


def _whole(graph: Graph, place: Places, tensor: TensorId, where: str) -> int:
    if (tensor, Role.WHOLE, -1) not in place:
        raise PlanError(f"{where}: {graph.tensor(tensor).name} has no place in the plan")
    return place[tensor, Role.WHOLE, -1]


def _room(graph: Graph, plan: MemoryPlan, place: Places, tensor: TensorId, role: Role, number: int, nbytes: int) -> int:
    index, name = place.get((tensor, role, number)), f"{graph.tensor(tensor).name} ({role.value})"
    if index is None:
        raise PlanError(f"{name} has no place in the plan")
    if plan.buffers[index].nbytes < nbytes:
        raise PlanError(f"{name} needs {nbytes} B, has {plan.buffers[index].nbytes}")
    return index


def _all_apart(plan: MemoryPlan, pairs: Iterable[tuple[int, int]], where: str) -> None:
    for a, b in pairs:
        _apart(plan, a, b, where)


def _apart(plan: MemoryPlan, a: int, b: int, where: str) -> None:
    (x, n), (y, m) = ((plan.places[i], plan.buffers[i].nbytes) for i in (a, b))
    if a != b and x.memory == y.memory and x.offset < y.offset + m and y.offset < x.offset + n:
        raise PlanError(f"{where}: {plan.buffers[a].name} overwrites {plan.buffers[b].name}")


def _live_together(graph: Graph, stage: Stage, x: MapPlan, y: MapPlan) -> bool:
    """Windows exist from the operator that fills them to the last one of the stage that reads them."""
    (a, b), (c, d) = _turns(graph, stage, x.tensor), _turns(graph, stage, y.tensor)
    return a <= d and c <= b


def _turns(graph: Graph, stage: Stage, tensor: TensorId) -> tuple[int, int]:
    """Which turns of a tick fill a map and read it last; pulled maps come first."""
    pulled = [m.tensor for m in stage.maps][: len(stage.maps) - sum(len(graph.ops[i].outputs) for i in stage.ops)]
    turns = [k for k, t in enumerate(pulled) if t == tensor]
    for k, op in enumerate(graph.ops[i] for i in stage.ops):
        if tensor in op.inputs or tensor in op.outputs:
            turns.append(len(pulled) + k)
    return turns[0], turns[-1]


def _in_place(graph: Graph, plan: MemoryPlan, stage: Stage, *windows: tuple[int, MapPlan]) -> bool:
    """An elementwise operator that reads a window for the last time may write each element where it read it, or below
    it, if both windows hold the same pixels at the same distances and nothing of the read one is kept."""
    for (a, x), (b, y) in (windows, windows[::-1]):
        op = next((graph.ops[i] for i in stage.ops if y.tensor in graph.ops[i].outputs), None)
        if op is None or x.tensor not in op.inputs or not isinstance(op.attrs, ELEMENTWISE):
            continue
        if _turns(graph, stage, x.tensor)[1] != _turns(graph, stage, y.tensor)[0] or x.lines or x.left or y.left:
            continue
        same = (x.rows, x.cols) == (y.rows, y.cols) and graph.tensor(x.tensor).shape == graph.tensor(y.tensor).shape
        if same and plan.places[b].memory == plan.places[a].memory and plan.places[b].offset <= plan.places[a].offset:
            return True
    return False


def _check_walk(plan: MemoryPlan, target: int, source: int, walk: Walk, where: str) -> None:
    """Nothing written to the target may reach what is still to be read of the source."""
    written, read = plan.places[target], plan.places[source]
    if written.memory != read.memory:
        return
    hit = written.offset + walk.write_begin < read.offset + walk.need_end
    hit &= read.offset + walk.need_begin < written.offset + walk.write_end
    hit &= (walk.need_begin < walk.need_end) & (walk.write_begin < walk.write_end)
    if hit.any():
        raise PlanError(
            f"{where}: step {int(np.argmax(hit))} of {len(hit)} of {plan.buffers[target].name} overwrites what is "
            f"still to be read of {plan.buffers[source].name}"
        )


def _row_ticks(graph: Graph, stage: Stage, part: MapPlan, source: TensorId, below: bool) -> Walk:
    """Row ticks of a streamed stage: rows of a map that is made whole, and of one that is read, itself or a view.
    `below`: the made one starts no higher than the read one."""
    x, y = graph.tensor(source), graph.tensor(part.tensor)
    plans = {m.tensor: m for m in stage.maps}
    n, out_bytes = stage.row_ticks, y.nbytes // y.shape[1]
    write_begin, write_end = np.zeros(n, np.int64), np.zeros(n, np.int64)
    need_begin, need_end = np.full(n, x.nbytes, np.int64), np.zeros(n, np.int64)
    for t in range(n):
        if part.rows.fires(t):
            write_begin[t], write_end[t] = (out_bytes * min(max(0, row), y.shape[1]) for row in part.rows.span(t))
    readers = [(graph.ops[i], k) for i in stage.ops for k, t in enumerate(graph.ops[i].inputs) if t == source]
    for op, k in readers:
        sweep, (first, end) = plans[op.outputs[0]].rows, _bytes_seen(graph, op, k)
        eaten = below and op.outputs[0] == part.tensor and _element_by_element(graph, op, stage, part, source)
        for t in range(n):
            if sweep.fires(t):
                rows = slice(*(max(0, row) for row in sweep.span(t)))
                seen = first[rows] < end[rows]
                if seen.any():  # an element that is read before it is overwritten is not needed any more
                    begin = end[rows][seen].max() if eaten else first[rows][seen].min()
                    need_begin[t] = min(need_begin[t], begin)
                    need_end[t] = max(need_end[t], end[rows][seen].max())
    need_begin = np.minimum.accumulate(need_begin[::-1])[::-1]
    need_end = np.maximum.accumulate(need_end[::-1])[::-1]
    return Walk(write_begin, write_end, need_begin, need_end)


def _element_by_element(graph: Graph, op: Op, stage: Stage, part: MapPlan, source: TensorId) -> bool:
    """Each element is read, then written, once, in the order in which they lie: rows one by one, spans from left to
    right."""
    return (
        isinstance(op.attrs, ELEMENTWISE)
        and graph.tensor(source).shape == graph.tensor(part.tensor).shape
        and (part.rows.size == 1 or stage.col_ticks == 1)
        and (part.rows.size, part.cols.size) == (part.rows.step, part.cols.step)
    )


def _reduces(graph: Graph, op: Op) -> bool:
    """A mean over the map: one pixel out of many, its plan speaks of the rows of its input."""
    pooled = isinstance(op.attrs, ir.AvgPool2D) and graph.tensor(op.outputs[0]).shape[1:3] == (1, 1)
    return pooled or isinstance(op.attrs, ir.Mean | ir.MeanOfMeans)


def _bytes_seen(graph: Graph, op: Op, k: int) -> tuple[Ints, Ints]:
    """The bytes of input k that each row of the operator's map sees (of a mean's input: each row of that); all of them
    where nothing better is known."""
    x, y = graph.tensor(op.inputs[k]), graph.tensor(op.outputs[0])
    rows_out = x.shape[1] if _reduces(graph, op) else y.shape[1]
    if len(x.shape) == 4 and x.shape[0] == 1:
        rows_in = x.shape[1]
        rows = np.arange(rows_in, dtype=np.int64)
        match op.attrs:
            case _ if _reduces(graph, op):
                return _in_bytes(x.nbytes // rows_in, rows, rows + 1)
            case ir.Lookup() | ir.Softmax() | ir.Concatenation() | ir.Add() | ir.Sub() | ir.Mul() | ir.PRelu():
                if x.shape[1:3] == y.shape[1:3]:
                    return _in_bytes(x.nbytes // rows_in, rows, rows + 1)
            case ir.Pad() as pad:
                return _in_bytes(x.nbytes // rows_in, *_window_rows(rows_in, rows_out, 1, 1, pad.amounts[1][0]))
            case ir.Conv2D() | ir.DepthwiseConv2D() as conv if k == 0:
                height, stride, top = graph.tensor(op.inputs[1]).shape[1], conv.stride[0], conv.padding[0]
                return _in_bytes(x.nbytes // rows_in, *_window_rows(rows_in, rows_out, height, stride, top))
            case ir.AvgPool2D() | ir.MaxPool2D() as pool:
                height, stride, top = pool.kernel[0], pool.stride[0], pool.padding[0]
                return _in_bytes(x.nbytes // rows_in, *_window_rows(rows_in, rows_out, height, stride, top))
            case ir.ResizeNearest() | ir.ResizeBilinear():
                return _in_bytes(x.nbytes // rows_in, *_resize_rows(rows_in, rows_out, op.attrs))
    return np.zeros(rows_out, np.int64), np.full(rows_out, x.nbytes, np.int64)


def _in_bytes(row_bytes: int, first: Ints, end: Ints) -> tuple[Ints, Ints]:
    return first * row_bytes, end * row_bytes


def _walk(graph: Graph, op: Op, k: int, output: TensorId) -> Walk:
    x, y = graph.tensor(op.inputs[k]), graph.tensor(output)
    whole = Walk(*(np.array([v], np.int64) for v in (0, y.nbytes, 0, x.nbytes)))
    match op.attrs:
        case ir.Lookup() | ir.Add() | ir.Sub() | ir.Mul() | ir.PRelu() | ir.Quantize():
            if x.shape != y.shape:
                return whole
            # an element is in a register before its result is written: only later ones must be intact
            i = np.arange(x.size, dtype=np.int64)
            a, b = x.dtype.nbytes, y.dtype.nbytes
            return Walk(i * b, i * b + b, (i + 1) * a, np.full_like(i, x.nbytes))
        case ir.Dequantize():
            return _pixels(x.nbytes, y.nbytes, x.size)
        case ir.FullyConnected() if k == 0:
            return _pixels(x.nbytes, y.nbytes, y.size // graph.tensor(op.inputs[1]).shape[0])
        case ir.Conv2D() as conv if k == 0:
            _, height, width, _ = graph.tensor(op.inputs[1]).shape
            if (height, width, *conv.stride, *conv.padding) == (1, 1, 1, 1, 0, 0, 0, 0):
                return _pixels(x.nbytes, y.nbytes, x.size // x.shape[-1], 4)
            return _windows(x.nbytes, y.nbytes, x.shape, y.shape, height, conv.stride[0], conv.padding[0])
        case ir.AvgPool2D() | ir.MaxPool2D() as pool:
            return _windows(x.nbytes, y.nbytes, x.shape, y.shape, pool.kernel[0], pool.stride[0], pool.padding[0])
        case ir.ResizeNearest() | ir.ResizeBilinear() if x.shape[0] == 1:
            first, end = _resize_rows(x.shape[1], y.shape[1], op.attrs)
            return _rows(x.nbytes // x.shape[1], y.nbytes // y.shape[1], first, end)
        case _:
            return whole


def _pixels(in_bytes: int, out_bytes: int, pixels: int, group: int = 1) -> Walk:
    p = np.arange(0, pixels, group, dtype=np.int64)
    a, b = in_bytes // pixels, out_bytes // pixels
    return Walk(p * b, np.minimum(p + group, pixels) * b, p * a, np.full_like(p, in_bytes))


def _windows(
    in_bytes: int,
    out_bytes: int,
    in_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    kernel: int,
    stride: int,
    pad: int,
) -> Walk:
    if in_shape[0] != 1:
        return Walk(*(np.array([v], np.int64) for v in (0, out_bytes, 0, in_bytes)))
    first, end = _window_rows(in_shape[1], out_shape[1], kernel, stride, pad)
    return _rows(in_bytes // in_shape[1], out_bytes // out_shape[1], first, end)


def _window_rows(rows_in: int, rows_out: int, kernel: int, stride: int, pad: int) -> tuple[Ints, Ints]:
    top = np.arange(rows_out, dtype=np.int64) * stride - pad
    return np.clip(top, 0, rows_in), np.clip(top + kernel, 0, rows_in)


def _rows(in_row_bytes: int, out_row_bytes: int, first: Ints, end: Ints) -> Walk:
    """Output row r reads input rows [first[r], end[r]); later rows' windows must be intact as well."""
    r = np.arange(len(first), dtype=np.int64)
    begin = np.where(first < end, first, np.iinfo(np.int32).max)  # a window of padding only reads nothing
    begin = np.minimum.accumulate(begin[::-1])[::-1]
    last = np.maximum.accumulate(np.where(first < end, end, 0)[::-1])[::-1]
    return Walk(r * out_row_bytes, (r + 1) * out_row_bytes, begin * in_row_bytes, last * in_row_bytes)


def _resize_rows(rows_in: int, rows_out: int, attrs: Any) -> tuple[Ints, Ints]:
    """The input rows [first, end) of each output row, from TFLite's reference code."""
    first, end = np.zeros(rows_out, np.int64), np.zeros(rows_out, np.int64)
    corners = attrs.align_corners and rows_out > 1
    for r in range(rows_out):
        if isinstance(attrs, ir.ResizeNearest):
            f = np.float32
            scale = f(rows_in - 1) / f(rows_out - 1) if corners else f(rows_in) / f(rows_out)
            position = float((f(r) + f(0.5)) * scale if attrs.half_pixel_centers else f(r) * scale)
            row = int(position + 0.5) if attrs.align_corners else int(position)
            first[r] = last = min(row, rows_in - 1)
        else:
            step = (
                (1024 * (rows_in - 1) + (rows_out - 1) // 2) // (rows_out - 1)
                if corners
                else (1024 * rows_in + rows_out // 2) // rows_out
            )
            position = r * step + (step // 2 - 512 if attrs.half_pixel_centers else 0)
            first[r] = min(max(0, int(position / 1024)), rows_in - 1)
            last = min(int((position + 1023) / 1024), rows_in - 1)
        end[r] = max(first[r], last) + 1
    return first, end
