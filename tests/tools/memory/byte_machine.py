"""Runs accesses byte by byte: an independent oracle for overlaps and plans.

Memory holds, for each byte, which byte of which tensor it is. Every operator does its worst within what the portable
kernels promise (firmware/lib/tessera): a row is written in full before its window is read, a pixel before its input
pixel; an element is read before it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tessera.ir.attrs import Add, AvgPool2D, Conv2D, DepthwiseConv2D, FullyConnected, Lookup, Reshape
from tessera.ir.graph import Graph, Op, TensorId
from tessera.memory.plan import MemoryPlan
from tessera.schedule.schedule import Schedule

Bytes = tuple[int, int]  # [begin, end) in a tensor
Step = tuple[list[tuple[TensorId, Bytes]], list[tuple[TensorId, Bytes]], bool]  # reads, writes, reads come first


def steps(graph: Graph, op: Op) -> Iterator[Step]:
    reads = [t for t in op.inputs if not graph.tensor(t).is_constant]
    x, y = op.inputs[0], op.outputs[0]
    if isinstance(op.attrs, Lookup | Add) and all(graph.tensor(t).shape == graph.tensor(y).shape for t in reads):
        for i in range(graph.tensor(y).size):
            yield [(t, (i, i + 1)) for t in reads], [(y, (i, i + 1))], True
        return
    window = _window(graph, op)
    if window is not None:
        (_, rows, cols, channels), (_, out_rows, out_cols, out_channels) = (graph.tensor(t).shape for t in (x, y))
        (kernel_rows, kernel_cols), (stride, stride_cols), (top, _, left, _) = window
        if window == ((1, 1), (1, 1), (0, 0, 0, 0)) and isinstance(op.attrs, Conv2D):
            for p in range(rows * cols):
                yield (
                    [(x, (p * channels, (p + 1) * channels))],
                    [(y, (p * out_channels, (p + 1) * out_channels))],
                    False,
                )
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


def _window(graph: Graph, op: Op) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None:
    match op.attrs:
        case Conv2D() | DepthwiseConv2D() as conv:
            return graph.tensor(op.inputs[1]).shape[1:3], conv.stride, conv.padding
        case AvgPool2D() as pool:
            return pool.kernel, pool.stride, pool.padding
        case _:
            return None


class ClobberedError(Exception):
    """A byte was overwritten before it was read."""


def run(schedule: Schedule, plan: MemoryPlan) -> None:
    """Runs a schedule in a plan's arena; raises ClobberedError where a read finds something else than was written."""
    graph = schedule.graph
    places = {t: plan.places[i].offset for i, buffer in enumerate(plan.buffers) for t in buffer.tensors}
    roots = {TensorId(i): i for i in range(len(graph.tensors))}
    for op in graph.ops:
        if isinstance(op.attrs, Reshape):
            roots[op.outputs[0]] = roots[op.inputs[0]]
    memory = np.full((plan.arena_bytes, 2), -1)

    def tag(t: TensorId, span: Bytes) -> np.ndarray:
        return np.stack([np.full(span[1] - span[0], roots[t]), np.arange(*span)], axis=1)

    def write(t: TensorId, span: Bytes) -> None:
        memory[places[t] + span[0] : places[t] + span[1]] = tag(t, span)

    def read(t: TensorId, span: Bytes) -> None:
        if not np.array_equal(memory[places[t] + span[0] : places[t] + span[1]], tag(t, span)):
            raise ClobberedError(graph.tensor(t).name)

    for t in graph.inputs:
        write(t, (0, graph.tensor(t).nbytes))
    for i in (i for stage in schedule.stages for i in stage.ops):
        for reads, writes, reads_first in steps(graph, graph.ops[i]):
            for t, span in writes if not reads_first else ():
                write(t, span)
            for t, span in reads:
                read(t, span)
            for t, span in writes if reads_first else ():
                write(t, span)
    for t in graph.outputs:
        read(t, (0, graph.tensor(t).nbytes))
