"""Runs a streamed stage byte by byte in the storage that its plan describes: an independent oracle.

Every byte holds a tag: which byte of which tensor it is. A kernel does its worst within what it promises: a span of a
row is written before the input that it needs is read; an elementwise operator reads an element before it writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tessera.arith.multipliers import resize_bilinear_axis, resize_nearest_indices
from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op, TensorId
from tessera.memory.plan import Role
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage

Bytes = NDArray[np.int64]
Where = Callable[[TensorId, Role], tuple[Bytes, int]]  # a memory and an offset in it
ELEMENTWISE = (ir.Lookup, ir.Add, ir.Sub, ir.Mul, ir.PRelu)


class LostError(Exception):
    """Something that is read is not there, or something is not computed as it must be."""


def tags(tensor: TensorId, begin: int, end: int) -> Bytes:
    return np.arange(begin, end) + (tensor << 32)


def root_of(graph: Graph, tensor: TensorId) -> TensorId:
    """The tensor whose bytes a view shows."""
    viewed = {op.outputs[0]: op.inputs[0] for op in graph.ops if isinstance(op.attrs, ir.Reshape)}
    while tensor in viewed:
        tensor = viewed[tensor]
    return tensor


def separate(schedule: Schedule, number: int) -> Where:
    """Every buffer in a memory of its own, of the size that the stage says; tensors from outside are there."""
    graph, stage = schedule.graph, schedule.stages[number]
    plans = {m.tensor: m for m in stage.maps}
    memories: dict[tuple[TensorId, Role], Bytes] = {}

    def where(tensor: TensorId, role: Role) -> tuple[Bytes, int]:
        if (tensor, role) not in memories:
            m, shape = plans.get(tensor), graph.tensor(tensor).shape
            if m is None:
                memories[tensor, role] = tags(root_of(graph, tensor), 0, graph.tensor(tensor).nbytes)
            else:
                row = {
                    Role.WHOLE: 8 * graph.tensor(tensor).nbytes,
                    Role.LINES: m.lines * shape[-2] * shape[-1],
                    Role.WINDOW: m.rows.size * (m.left + m.cols.size) * shape[-1],
                    Role.LEFT: m.rows.size * m.left * shape[-1],
                }
                memories[tensor, role] = np.full(row[role], -1)
        return memories[tensor, role], 0

    return where


@dataclass
class MapState:
    """A map that the stage computes or pulls. `seen`: how often each pixel was computed."""

    plan: MapPlan
    shape: tuple[int, int, int]
    op: Op | None
    reduces: bool
    where: Where
    seen: NDArray[np.int64]
    retired_to: int = 0
    order: list[tuple[int, int, int]] = field(default_factory=list)  # pieces (y, begin, end)

    @property
    def whole(self) -> bool:
        return self.plan.lines == self.shape[0] and not self.plan.windowed

    def spans(self, tick: tuple[int, int]) -> tuple[int, int, int, int]:
        return (*self.plan.rows.span(tick[0]), *self.plan.cols.span(tick[1]))

    def fires(self, tick: tuple[int, int]) -> bool:
        return self.plan.rows.fires(tick[0]) and self.plan.cols.fires(tick[1])

    def in_lines(self, y: int, x: int) -> tuple[Bytes, int]:
        if not self.plan.lines:
            raise LostError("no lines")
        memory, base = self.where(self.plan.tensor, Role.WHOLE if self.whole else Role.LINES)
        return memory, base + (y % self.plan.lines * self.shape[1] + x) * self.shape[2]

    def in_window(self, y: int, x: int, tick: tuple[int, int]) -> tuple[Bytes, int]:
        row0, row1, col0, col1 = self.spans(tick)
        if not (row0 <= y < row1 and col0 - self.plan.left <= x <= col1):
            raise LostError(f"pixel ({y}, {x}) is outside the window")
        memory, base = self.where(self.plan.tensor, Role.WINDOW)
        width = self.plan.left + self.plan.cols.size
        return memory, base + ((y - row0) * width + self.plan.left + x - col0) * self.shape[2]

    def check(self, at: tuple[Bytes, int], y: int, begin: int, end: int) -> None:
        memory, offset = at
        c = self.shape[2]
        first = (y * self.shape[1] + begin) * c
        expected = tags(self.plan.tensor, first, first + (end - begin) * c)
        if not np.array_equal(memory[offset : offset + len(expected)], expected):
            raise LostError(f"row {y}, columns [{begin}, {end}) of {self.plan.tensor}")

    def read(self, y: int, begin: int, end: int, tick: tuple[int, int]) -> None:
        if self.plan.windowed:
            if not self.fires(tick):
                raise LostError("read at a tick at which it does not fire")
            if y >= self.spans(tick)[0]:
                if end > self.spans(tick)[3]:
                    raise LostError("columns beyond the window")
                return self.check(self.in_window(y, begin, tick), y, begin, end)
        return self.check(self.in_lines(y, begin), y, begin, end)

    def target(self, y: int, begin: int, tick: tuple[int, int]) -> tuple[Bytes, int]:
        return self.in_window(y, begin, tick) if self.plan.windowed else self.in_lines(y, begin)

    def restore(self, tick: tuple[int, int]) -> None:
        if not self.plan.windowed or not self.plan.left or tick[1] == self.plan.cols.phase:
            return
        self._columns(lambda window, left: (window, left), 0)

    def _columns(self, direction: Callable[[Bytes, Bytes], tuple[Bytes, Bytes]], at: int) -> None:
        c, n = self.shape[2], self.plan.left * self.shape[2]
        width = (self.plan.left + self.plan.cols.size) * c
        (window, w), (left, k) = (self.where(self.plan.tensor, role) for role in (Role.WINDOW, Role.LEFT))
        for i in range(self.plan.rows.size):
            into, out = direction(window[w + i * width + at * c :][:n], left[k + i * n :][:n])
            into[:] = out

    def retire(self, tick: tuple[int, int], col_ticks: int) -> None:
        plan, (height, width, c) = self.plan, self.shape
        if not plan.windowed:
            return
        row0, row1, _, col1 = self.spans(tick)
        last = tick[1] + plan.cols.period >= col_ticks
        lo = 0 if tick[1] == plan.cols.phase else self.retired_to
        hi = width if last else min(width, max(lo, col1 - max(plan.left, plan.cols.size - plan.cols.step)))
        for y in range(max(0, row0, row1 - plan.lines), min(height, row1)) if lo < hi and plan.lines else ():
            self.read(y, lo, hi, tick)
            memory, at = self.in_lines(y, lo)
            memory[at : at + (hi - lo) * c] = tags(plan.tensor, (y * width + lo) * c, (y * width + hi) * c)
        self.retired_to = hi
        if plan.left:
            self._columns(lambda window, left: (left, window), plan.cols.size)


def run_stage(schedule: Schedule, number: int, where: Where) -> dict[TensorId, int]:
    """How many pixels of each map were computed or pulled, those again counted again; of a mean's input for a mean.
    Raises LostError where the stage does not compute what layers would."""
    graph, stage = schedule.graph, schedule.stages[number]
    states = {m.tensor: _state(graph, stage, m, where) for m in stage.maps}
    for s in states.values():
        if s.plan.left and s.plan.cols.size != s.plan.cols.step:
            raise LostError("columns are kept and computed again")
        if s.reduces and (s.plan.windowed or s.plan.lines != s.shape[0]):
            raise LostError("a mean has no rows")
    last = {t: t for t in states}
    for s in states.values():
        last |= {t: s.plan.tensor for t in (s.op.inputs if s.op else ()) if t in states}
    for t in range(stage.row_ticks):
        for u in range(stage.col_ticks):
            for tensor, s in states.items():
                if s.fires((t, u)):
                    s.restore((t, u))
                    _compute(graph, states, s, (t, u))
                for source in (source for source, after in last.items() if after == tensor):
                    if states[source].fires((t, u)):
                        states[source].retire((t, u), stage.col_ticks)
    for s in states.values():
        _check_done(schedule, s)
    return {t: int(s.seen.sum()) for t, s in states.items()}


def _state(graph: Graph, stage: Stage, m: MapPlan, where: Where) -> MapState:
    op = next((graph.ops[i] for i in stage.ops if m.tensor in graph.ops[i].outputs), None)
    reduces = op is not None and (
        isinstance(op.attrs, ir.Mean | ir.MeanOfMeans)
        or (isinstance(op.attrs, ir.AvgPool2D) and graph.tensor(m.tensor).shape[1:3] == (1, 1))
    )
    _, height, width, channels = graph.tensor(op.inputs[0] if op and reduces else m.tensor).shape
    return MapState(m, (height, width, channels), op, reduces, where, np.zeros((height, width), np.int64))


def _compute(graph: Graph, states: dict[TensorId, MapState], s: MapState, tick: tuple[int, int]) -> None:
    row0, row1, col0, col1 = s.spans(tick)
    height, width, c = s.shape
    begin, end = max(0, col0), min(width, col1)
    for y in range(max(0, row0), min(height, row1)) if begin < end else ():
        first = (y * width + begin) * c
        if s.reduces:
            _reduce(graph, states, s, y, begin, end, tick)
        elif s.op is not None and isinstance(s.op.attrs, ELEMENTWISE):
            for x in range(begin, end):
                _read_inputs(graph, states, s, y, x, x + 1, tick)
                memory, at = s.target(y, x, tick)
                memory[at : at + c] = tags(s.plan.tensor, (y * width + x) * c, (y * width + x + 1) * c)
        else:
            memory, at = s.target(y, begin, tick)
            memory[at : at + (end - begin) * c] = tags(s.plan.tensor, first, first + (end - begin) * c)
            if s.op is not None:
                _read_inputs(graph, states, s, y, begin, end, tick)
        s.seen[y, begin:end] += 1
        s.order.append((y, begin, end))


def _reduce(
    graph: Graph, states: dict[TensorId, MapState], s: MapState, y: int, begin: int, end: int, tick: tuple[int, int]
) -> None:
    """The sums are a tag of how many pieces they hold; the result takes their place."""
    assert s.op is not None
    _read_map(graph, states, s, s.op.inputs[0], y, [(begin, end)], tick)
    memory, at = s.where(s.plan.tensor, Role.WHOLE)
    size = graph.tensor(s.plan.tensor).nbytes
    n = size * (8 if isinstance(s.op.attrs, ir.MeanOfMeans) else 4)
    pieces = len(s.order)
    if pieces and not (memory[at : at + n] == -2 - pieces).all():
        raise LostError("running sums")
    memory[at : at + n] = -2 - (pieces + 1)
    if (y + 1, end) == s.shape[:2]:
        memory[at : at + size] = tags(s.plan.tensor, 0, size)


def _read_inputs(
    graph: Graph, states: dict[TensorId, MapState], s: MapState, y: int, begin: int, end: int, tick: tuple[int, int]
) -> None:
    """Everything that columns [begin, end) of row y are computed from."""
    assert s.op is not None
    for k, t in enumerate(s.op.inputs):
        x = graph.tensor(t)
        if x.is_constant:
            continue
        if isinstance(s.op.attrs, ELEMENTWISE) and x.shape != graph.tensor(s.plan.tensor).shape:  # a vector
            memory, at = s.where(t, Role.WHOLE)
            if t in states or not np.array_equal(memory[at : at + x.nbytes], tags(root_of(graph, t), 0, x.nbytes)):
                raise LostError("a vector")
            continue
        rows, cols = (_seen(graph, s.op, k, axis) for axis in (1, 2))
        columns = [span for c in range(begin, end) for span in cols(c)]
        for row in (row for span in rows(y) for row in range(*span)):
            _read_map(graph, states, s, t, row, columns, tick)


def _read_map(
    graph: Graph,
    states: dict[TensorId, MapState],
    s: MapState,
    tensor: TensorId,
    row: int,
    columns: list[tuple[int, int]],
    tick: tuple[int, int],
) -> None:
    for begin, end in columns:
        if tensor in states:
            if states[tensor].reduces:
                raise LostError("a mean is not done")
            states[tensor].read(row, begin, end, tick)
        else:
            _, _, width, c = graph.tensor(tensor).shape
            memory, at = s.where(tensor, Role.WHOLE)
            first, last = (row * width + begin) * c, (row * width + end) * c
            if not np.array_equal(memory[at + first : at + last], tags(root_of(graph, tensor), first, last)):
                raise LostError(f"row {row} of {tensor}, made before")


def _seen(graph: Graph, op: Op, k: int, axis: int) -> Callable[[int], list[tuple[int, int]]]:
    """Index of the output along an axis -> intervals of the input inside the map."""
    n, size = graph.tensor(op.inputs[k]).shape[axis], graph.tensor(op.outputs[0]).shape[axis]

    def window(kernel: int, stride: int, pad: int) -> Callable[[int], list[tuple[int, int]]]:
        def spans(i: int) -> list[tuple[int, int]]:
            begin, end = max(0, i * stride - pad), min(n, i * stride - pad + kernel)
            return [(begin, end)] if begin < end else []

        return spans

    match op.attrs:
        case ir.Conv2D() | ir.DepthwiseConv2D() as conv:
            kernel = graph.tensor(op.inputs[1]).shape[axis]
            return window(kernel, conv.stride[axis - 1], conv.padding[2 * (axis - 1)])
        case ir.AvgPool2D() | ir.MaxPool2D() as pool:
            return window(pool.kernel[axis - 1], pool.stride[axis - 1], pool.padding[2 * (axis - 1)])
        case ir.Pad() as pad:
            return window(1, 1, pad.amounts[axis][0])
        case ir.ResizeNearest() as nearest:
            index = resize_nearest_indices(n, size, nearest.align_corners, nearest.half_pixel_centers)
            return lambda i: [(int(index[i]), int(index[i]) + 1)]
        case ir.ResizeBilinear() as bilinear:
            table = resize_bilinear_axis(n, size, bilinear.align_corners, bilinear.half_pixel_centers)
            return lambda i: [(int(at), int(at) + 1) for at in (table.low[i], table.high[i])]
        case _:
            return window(1, 1, 0)


def _check_done(schedule: Schedule, s: MapState) -> None:
    """All of a map is computed; a mean takes every pixel once, and a streamed input comes once, both in order."""
    height, width, _ = s.shape
    mode = schedule.input_mode
    if s.reduces or (s.op is None and mode is InputMode.STREAMED):
        if s.reduces and s.op and not isinstance(s.op.attrs, ir.MeanOfMeans):
            ok = bool((s.seen == 1).all()) and s.order[-1][0] == height - 1 and s.order[-1][2] == width
        else:
            pixels = [(y, x) for y, begin, end in s.order for x in range(begin, end)]
            ok = pixels == [(y, x) for y in range(height) for x in range(width)]
        if s.op is None:
            ok = ok and len(s.order) == height
        if not ok:
            raise LostError(f"{s.plan.tensor} does not come once and in order")
    elif s.op is not None and not s.seen.all():
        raise LostError(f"pixels of {s.plan.tensor} are never computed")
    elif s.whole and not s.seen.all():
        raise LostError(f"pixels of {s.plan.tensor} are never pulled")
