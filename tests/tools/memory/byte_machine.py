"""Runs accesses byte by byte: an independent oracle for overlaps and plans.

Memory holds, for each byte, which byte of which tensor it is. Every operator does its worst within what the kernels
promise (firmware/lib/tessera): a row is written in full before its window is read, four pixels before their input
pixels; an element is read before it is written. A depthwise convolution goes channel by channel, and copies the rows of
a window before it writes the row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from storage_machine import LostError, Where, root_of, run_stage, tags

from tessera.arith.multipliers import resize_bilinear_axis, resize_nearest_indices
from tessera.ir.attrs import (
    Add,
    AvgPool2D,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Lookup,
    MaxPool2D,
    Mul,
    PRelu,
    ResizeBilinear,
    ResizeNearest,
    Sub,
)
from tessera.ir.graph import Graph, Op, TensorId
from tessera.memory.plan import MemoryPlan, Role
from tessera.schedule.schedule import Schedule

ELEMENTWISE = (Lookup, Add, Sub, Mul, PRelu)
Bytes = tuple[int, int]  # [begin, end) in a tensor
Step = tuple[list[tuple[TensorId, Bytes]], list[tuple[TensorId, Bytes]], bool]  # reads, writes, reads come first


def steps(graph: Graph, op: Op) -> Iterator[Step]:
    reads = [t for t in op.inputs if not graph.tensor(t).is_constant]
    x, y = op.inputs[0], op.outputs[0]
    if isinstance(op.attrs, ELEMENTWISE):
        shape = graph.tensor(y).shape
        same = [t for t in reads if graph.tensor(t).shape == shape]
        vectors = [(t, (0, graph.tensor(t).nbytes)) for t in reads if graph.tensor(t).shape != shape]
        for i in range(graph.tensor(y).size):
            yield [*vectors, *((t, (i, i + 1)) for t in same)], [(y, (i, i + 1))], True
        return
    if isinstance(op.attrs, ResizeNearest | ResizeBilinear):
        (_, rows, _, _), row_bytes = graph.tensor(x).shape, graph.tensor(x).nbytes // graph.tensor(x).shape[1]
        out_rows, out_bytes = graph.tensor(y).shape[1], graph.tensor(y).nbytes // graph.tensor(y).shape[1]
        for r, seen_rows in enumerate(_resize_rows(op.attrs, rows, out_rows)):
            yield (
                [(x, (row * row_bytes, (row + 1) * row_bytes)) for row in seen_rows],
                [(y, (r * out_bytes, (r + 1) * out_bytes))],
                False,
            )
        return
    window = _window(graph, op)
    if isinstance(op.attrs, DepthwiseConv2D):
        yield from _channels(graph, op)
        return
    if window is not None:
        (_, rows, cols, channels), (_, out_rows, out_cols, out_channels) = (graph.tensor(t).shape for t in (x, y))
        (kernel_rows, kernel_cols), (stride, stride_cols), (top, _, left, _) = window
        if window == ((1, 1), (1, 1), (0, 0, 0, 0)) and isinstance(op.attrs, Conv2D):
            for p in range(0, rows * cols, 4):
                end = min(rows * cols, p + 4)
                yield [(x, (p * channels, end * channels))], [(y, (p * out_channels, end * out_channels))], False
            return
        for r in range(out_rows):
            seen = []
            for row in range(r * stride - top, r * stride - top + kernel_rows):
                for col in range(out_cols):
                    begin, end = col * stride_cols - left, col * stride_cols - left + kernel_cols
                    begin, end = max(0, begin), min(cols, end)
                    if 0 <= row < rows and begin < end:
                        seen.append((x, ((row * cols + begin) * channels, (row * cols + end) * channels)))
            row_bytes = out_cols * out_channels
            yield seen, [(y, (r * row_bytes, (r + 1) * row_bytes))], False
        return
    if isinstance(op.attrs, FullyConnected):
        outputs, inputs = graph.tensor(op.inputs[1]).shape
        for p in range(graph.tensor(y).size // outputs):
            yield [(x, (p * inputs, (p + 1) * inputs))], [(y, (p * outputs, (p + 1) * outputs))], False
        return
    whole: Callable[[TensorId], Bytes] = lambda t: (0, graph.tensor(t).nbytes)  # noqa: E731
    yield [(t, whole(t)) for t in reads], [(t, whole(t)) for t in op.outputs], False


def _channels(graph: Graph, op: Op) -> Iterator[Step]:
    x, y, conv = op.inputs[0], op.outputs[0], op.attrs
    assert isinstance(conv, DepthwiseConv2D)
    (_, rows, cols, channels), (_, out_rows, out_cols, out_channels) = (graph.tensor(t).shape for t in (x, y))
    for c in range(out_channels):
        copied = 0
        for r in range(out_rows):
            top = r * conv.stride[0] - conv.padding[0]
            end = min(rows, top + graph.tensor(op.inputs[1]).shape[1])
            pixels = range(max(copied, top, 0) * cols, max(0, end) * cols)
            copied = max(copied, end)
            seen = [(x, (p * channels + c // conv.depth_multiplier,) * 2) for p in pixels]
            made = [(y, (p * out_channels + c,) * 2) for p in range(r * out_cols, (r + 1) * out_cols)]
            yield [(t, (i, i + 1)) for t, (i, _) in seen], [(t, (i, i + 1)) for t, (i, _) in made], True


def _window(graph: Graph, op: Op) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None:
    match op.attrs:
        case Conv2D() as conv:
            return graph.tensor(op.inputs[1]).shape[1:3], conv.stride, conv.padding
        case AvgPool2D() | MaxPool2D() as pool:
            return pool.kernel, pool.stride, pool.padding
        case _:
            return None


def _resize_rows(attrs: ResizeNearest | ResizeBilinear, rows: int, out_rows: int) -> list[tuple[int, ...]]:
    if isinstance(attrs, ResizeNearest):
        index = resize_nearest_indices(rows, out_rows, attrs.align_corners, attrs.half_pixel_centers)
        return [(int(row),) for row in index]
    table = resize_bilinear_axis(rows, out_rows, attrs.align_corners, attrs.half_pixel_centers)
    return [(int(low), int(high)) for low, high in zip(table.low, table.high, strict=True)]


class ClobberedError(Exception):
    """A byte was overwritten before it was read."""


def run(schedule: Schedule, plan: MemoryPlan) -> None:
    """Runs a schedule in a plan's memories; raises ClobberedError where a read finds not what was written."""
    graph = schedule.graph
    places = {(t, b.role, b.stage): plan.places[i] for i, b in enumerate(plan.buffers) for t in b.tensors}
    memories = [np.full(m.bytes, -1) for m in plan.memories]

    def at(t: TensorId, span: Bytes) -> np.ndarray:
        place = places[t, Role.WHOLE, -1]
        return memories[place.memory][place.offset + span[0] : place.offset + span[1]]

    def write(t: TensorId, span: Bytes) -> None:
        at(t, span)[:] = tags(root_of(graph, t), *span)

    def read(t: TensorId, span: Bytes) -> None:
        if not np.array_equal(at(t, span), tags(root_of(graph, t), *span)):
            raise ClobberedError(graph.tensor(t).name)

    def where(number: int) -> Where:
        def place_of(t: TensorId, role: Role) -> tuple[np.ndarray, int]:
            place = places[t, role, -1 if role is Role.WHOLE else number]
            return memories[place.memory], place.offset

        return place_of

    made = {t for op in graph.ops for t in op.outputs}
    pulled = {m.tensor for stage in schedule.stages for m in stage.maps} - made
    for t in (t for t in graph.inputs if t not in pulled):
        write(t, (0, graph.tensor(t).nbytes))
    for number, stage in enumerate(schedule.stages):
        if not stage.is_layer:
            try:
                run_stage(schedule, number, where(number))
            except LostError as error:
                raise ClobberedError(str(error)) from error
            continue
        for reads, writes, reads_first in steps(graph, graph.ops[stage.ops[0]]):
            for t, span in writes if not reads_first else ():
                write(t, span)
            for t, span in reads:
                read(t, span)
            for t, span in writes if reads_first else ():
                write(t, span)
    for t in graph.outputs:
        read(t, (0, graph.tensor(t).nbytes))
