"""Proves that a streamed stage reads what it means to read.

What a stage keeps of a map is the product of rows and columns: every row tick goes through the same columns, every
column through the same rows. So instead of running (row tick, column tick) pairs, both axes are run once and joined:

* At a tick, a window holds the rows of its span, and of each the columns of its span behind those left from the span
  before.
* In the lines, the columns that have retired at this row tick hold what the row slots hold after it, those still to
  retire what they held before. A reader that meets columns of both kinds must find its rows in both states.

A map that is not windowed retires what it computes at once, in place; it can be read at any tick.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tessera.ir.attrs import MeanOfMeans
from tessera.ir.graph import Graph, Op, TensorId
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep
from tessera.schedule.streamable import Axis, Upsample, streamable

Span = tuple[int, int]  # [begin, end)


class ScheduleError(Exception):
    """A schedule breaks an invariant: a bug in the scheduler, not in the model."""


@dataclass(frozen=True, slots=True)
class Reader:
    """An operator that reads a map of its stage: how it advances and what it sees of the map."""

    name: str
    rows: Sweep
    cols: Sweep
    size: Span  # rows and columns of what it computes
    row_axis: Axis
    col_axis: Axis


@dataclass(frozen=True, slots=True)
class Held:
    """Columns of a map at one column tick: in the window, and how many of its lines are new at this row tick."""

    window: Span
    new_end: int


@dataclass(frozen=True, slots=True)
class Columns:
    """What a reader needs at all of its column ticks: columns that the window lacks (the first such tick), columns of
    the lines that are new at this row tick, and ones that are not."""

    any: bool
    missing: str
    new: bool
    old: bool


def verify_stage(schedule: Schedule, number: int) -> None:
    """Of one streamed stage, whose operators are in order: everything is computed, and everything read is there."""
    graph, stage = schedule.graph, schedule.stages[number]
    readers: dict[TensorId, list[Reader]] = {m.tensor: [] for m in stage.maps}
    plans = {m.tensor: m for m in stage.maps}
    if min(stage.row_ticks, stage.col_ticks) < 1:
        raise ScheduleError(f"stage {number} has no ticks")
    for op in (graph.ops[i] for i in stage.ops):
        described = streamable(graph, op)
        if described is None:
            raise ScheduleError(f"{op.name} in stage {number} cannot run row by row")
        plan = plans[op.outputs[0]]
        size = _size(graph, stage, plan)
        for source in described.sources:
            if source.tensor not in plans:
                continue
            if source.rows is None or source.cols is None or reduces(graph, stage, source.tensor):
                name = graph.tensor(source.tensor).name
                raise ScheduleError(f"{op.name} in stage {number} reads {name}, which is not done before the stage is")
            readers[source.tensor].append(Reader(op.name, plan.rows, plan.cols, size, source.rows, source.cols))
    where = {m.tensor: f"stage {number}, {graph.tensor(m.tensor).name}" for m in stage.maps}
    for m in stage.maps:
        _check_numbers(m, _size(graph, stage, m), where[m.tensor])
        _check_complete(schedule, number, m, where[m.tensor])
    for m in stage.maps:
        if not reduces(graph, stage, m.tensor):
            _check_readers(graph, stage, m, readers[m.tensor], where[m.tensor])


def reduces(graph: Graph, stage: Stage, tensor: TensorId) -> bool:
    """The tensor is made by a mean over a map: its plan speaks of the pixels of the mean's input."""
    op = _maker(graph, stage, tensor)
    described = None if op is None else streamable(graph, op)
    return described is not None and described.reduces


def _maker(graph: Graph, stage: Stage, tensor: TensorId) -> Op | None:
    return next((graph.ops[i] for i in stage.ops if tensor in graph.ops[i].outputs), None)


def _size(graph: Graph, stage: Stage, plan: MapPlan) -> Span:
    """Rows and columns over which the plan sweeps."""
    op = _maker(graph, stage, plan.tensor)
    shape = graph.tensor(op.inputs[0] if op and reduces(graph, stage, plan.tensor) else plan.tensor).shape
    if len(shape) != 4 or shape[0] != 1:
        raise ScheduleError(f"{graph.tensor(plan.tensor).name} is no map")
    return shape[1], shape[2]


def _check_numbers(m: MapPlan, size: Span, where: str) -> None:
    for sweep in (m.rows, m.cols):
        if min(sweep.period, sweep.step, sweep.size) < 1 or sweep.phase < 0:
            raise ScheduleError(f"{where} has a sweep that does not advance: {sweep}")
    if not 0 <= m.lines <= size[0] or m.left < 0:  # a window may be wider than a narrow map
        raise ScheduleError(f"{where} keeps {m.lines} rows and {m.left} columns of {size[0]} x {size[1]}")
    if not m.windowed and (m.left or not m.lines):
        raise ScheduleError(f"{where} has no window and keeps {m.lines} rows and {m.left} columns")
    if m.left and m.cols.size != m.cols.step:
        raise ScheduleError(f"{where} keeps columns between spans that do not follow each other")


def _check_complete(schedule: Schedule, number: int, m: MapPlan, where: str) -> None:
    """Every row and column is computed; by a mean and of a streamed input exactly once. Of an input that may be read
    again, rows may be left out, and columns where no lines are kept."""
    graph, stage = schedule.graph, schedule.stages[number]
    op = _maker(graph, stage, m.tensor)
    height, width = _size(graph, stage, m)
    mean = reduces(graph, stage, m.tensor)
    once = mean or (op is None and schedule.input_mode is InputMode.STREAMED)
    for axis, sweep, ticks, size, everything in (
        ("rows", m.rows, stage.row_ticks, height, op is not None or once or m.lines == height),
        ("columns", m.cols, stage.col_ticks, width, op is not None or once or m.lines > 0),
    ):
        done = 0
        for begin, end in _cut_spans(sweep, ticks, size):
            if begin > done and everything:
                raise ScheduleError(f"{where}: {axis} [{done}, {begin}) are left out")
            if once and begin < done:
                raise ScheduleError(f"{where}: {axis} [{begin}, {done}) come twice")
            done = max(done, end)
        if done < size and everything:
            raise ScheduleError(f"{where}: {axis} [{done}, {size}) are never computed")
    whole_rows = all(span == (0, width) for span in _cut_spans(m.cols, stage.col_ticks, width))
    if once and not mean and not whole_rows:
        raise ScheduleError(f"{where}: a streamed input comes in whole rows")
    if mean and (m.windowed or m.lines != height):
        raise ScheduleError(f"{where}: a mean keeps its sums, no rows")
    several = any(end - begin > 1 for begin, end in _cut_spans(m.rows, stage.row_ticks, height))
    if op is not None and isinstance(op.attrs, MeanOfMeans) and several and not whole_rows:
        raise ScheduleError(f"{where}: a mean of means takes one row after the other")


def _cut_spans(sweep: Sweep, ticks: int, size: int) -> Iterator[Span]:
    """What it computes, tick by tick, where that is anything."""
    for tick in range(sweep.phase, ticks, sweep.period):
        begin, end = _cut(sweep.span(tick), size)
        if begin < end:
            yield begin, end


def _cut(span: Span, size: int) -> Span:
    return min(max(0, span[0]), size), min(max(0, span[1]), size)


def _check_readers(graph: Graph, stage: Stage, m: MapPlan, readers: list[Reader], where: str) -> None:
    _, height, width, _ = graph.tensor(m.tensor).shape
    for r in readers if m.windowed else ():
        if not _fires_with(r.rows, m.rows, stage.row_ticks) or not _fires_with(r.cols, m.cols, stage.col_ticks):
            raise ScheduleError(f"{where}: {r.name} reads it at ticks at which it does not fire")
    held = _columns_held(m, stage.col_ticks, width, where)
    needs = [(r, _columns_needed(r, stage.col_ticks, width, held)) for r in readers]
    needs = [(r, cols) for r, cols in needs if cols.any]
    slots: list[int | None] = [None] * m.lines
    for tick in range(stage.row_ticks):
        before = tuple(slots)
        begin = end = height
        if m.rows.fires(tick):
            begin, end = m.rows.span(tick)
            first = max(0, begin, end - m.lines) if m.windowed else max(0, begin)
            for row in range(first, min(height, end)) if m.lines else ():
                slots[row % m.lines] = row
        for r, cols in needs:
            if not r.rows.fires(tick):
                continue
            for row in _seen(r.row_axis, _cut(r.rows.span(tick), r.size[0]), height):
                at = f"{where}: at row tick {tick}, {r.name} reads row {row}"
                if m.windowed and row >= begin:
                    if row >= end:
                        raise ScheduleError(f"{at}, which is not computed yet")
                    if cols.missing:
                        raise ScheduleError(f"{at} {cols.missing}")
                elif not m.lines:
                    raise ScheduleError(f"{at}, and no rows are kept")
                elif cols.new and slots[row % m.lines] != row:
                    raise ScheduleError(f"{at}, but finds row {slots[row % m.lines]}")
                elif cols.old and before[row % m.lines] != row:
                    raise ScheduleError(f"{at}, but finds row {before[row % m.lines]} from the tick before")


def _fires_with(reader: Sweep, read: Sweep, ticks: int) -> bool:
    return all(read.fires(tick) for tick in range(reader.phase, ticks, reader.period))


def _columns_held(m: MapPlan, ticks: int, width: int, where: str) -> dict[int, Held]:
    """For each column tick at which the map can be read."""
    fires = range(m.cols.phase, ticks, m.cols.period)
    held: dict[int, Held] = {}
    if not m.windowed:
        done = 0
        for tick in range(ticks):
            done = _cut(m.cols.span(tick), width)[1] if m.cols.fires(tick) else done
            held[tick] = Held((0, 0), done)
        return held
    retired = 0
    for tick in fires:
        begin, end = m.cols.span(tick)
        window = _cut((max(m.cols.begin, begin - m.left), end), width)  # nothing is left before the first span
        held[tick] = Held(window, retired)
        keep = end - max(m.left, m.cols.size - m.cols.step)
        retiring = width if tick == fires[-1] else max(retired, min(width, keep))
        if m.lines and retired < retiring and not window[0] <= retired < retiring <= window[1]:
            raise ScheduleError(
                f"{where}: at column tick {tick}, columns [{retired}, {retiring}) go to the lines, the window has "
                f"[{window[0]}, {window[1]})"
            )
        retired = retiring
    return held


def _columns_needed(r: Reader, ticks: int, width: int, held: dict[int, Held]) -> Columns:
    some, missing, new, old = False, "", False, False
    for tick in range(r.cols.phase, ticks, r.cols.period):
        cols = _seen(r.col_axis, _cut(r.cols.span(tick), r.size[1]), width)
        if not cols:
            continue
        some, (begin, end), now = True, (cols[0], cols[-1] + 1), held[tick]
        if not missing and not now.window[0] <= begin < end <= now.window[1]:
            missing = (
                f"at column tick {tick} in columns [{begin}, {end}), the window has [{now.window[0]}, {now.window[1]})"
            )
        new, old = new or begin < now.new_end, old or end > now.new_end
    return Columns(some, missing, new, old)


def _seen(axis: Axis, span: Span, size: int) -> list[int]:
    """The rows or columns of the input, in order, that a span of the output sees."""
    begin, end = span
    if begin >= end:
        return []
    if isinstance(axis, Upsample):
        return [*range(*_cut((begin // axis.factor + axis.low, (end - 1) // axis.factor + axis.high + 1), size))]
    if axis.stride <= axis.kernel:
        return [*range(*_cut((begin * axis.stride - axis.pad, (end - 1) * axis.stride - axis.pad + axis.kernel), size))]
    starts = range(begin * axis.stride - axis.pad, end * axis.stride - axis.pad, axis.stride)
    return [at for start in starts for at in range(*_cut((start, start + axis.kernel), size))]
