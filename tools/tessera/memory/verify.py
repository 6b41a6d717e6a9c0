"""Checks a plan by running the schedule's accesses on address intervals, knowing nothing of how the plan was made.

No live range, lead or overlap of the plan is believed. The schedule is walked backwards to learn what every stage must
leave intact. Then, for the operator's own input, the walk goes step by step (a step is an output row, pixel or element,
as the portable kernels work): what a step writes must not touch what this step still reads or any later one will.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Op, TensorId
from tessera.memory.plan import MemoryPlan
from tessera.schedule.schedule import Schedule

Ints = NDArray[np.int64]


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
    needed: set[int] = {place[t][0] for t in graph.outputs if t in place}
    for number in reversed(range(len(schedule.stages))):
        for i in reversed(schedule.stages[number].ops):
            op = graph.ops[i]
            where = f"stage {number}, {op.name}"
            reads = [t for t in dict.fromkeys(op.inputs) if not graph.tensor(t).is_constant]
            for t in (*reads, *op.outputs):
                if t not in place:
                    raise PlanError(f"{where}: {graph.tensor(t).name} has no place in the plan")
            for k, t in enumerate(op.outputs):
                for other in needed | {place[o][0] for o in op.outputs[k + 1 :]}:
                    if other != place[t][0]:
                        _apart(plan, place[t][0], other, where)
            needed -= {place[t][0] for t in op.outputs}
            for k, t in enumerate(op.inputs):
                if t in place and place[t][0] not in needed:
                    _check_dying_input(graph, op, k, place, where)
            needed |= {place[t][0] for t in reads}
    alive = needed | {place[t][0] for t in graph.inputs}
    for a in alive:
        for b in alive:
            if a < b:
                _apart(plan, a, b, "at the start")


def _places(graph: Graph, plan: MemoryPlan) -> dict[TensorId, tuple[int, int]]:
    """Tensor -> (index of its buffer, its offset); checks the buffers one by one."""
    if len(plan.offsets) != len(plan.buffers):
        raise PlanError(f"{len(plan.buffers)} buffers and {len(plan.offsets)} offsets")
    place: dict[TensorId, tuple[int, int]] = {}
    for i, (buffer, offset) in enumerate(zip(plan.buffers, plan.offsets, strict=True)):
        if offset % plan.alignment or offset < 0 or offset + buffer.nbytes > plan.arena_bytes:
            raise PlanError(
                f"{buffer.name}: [{offset}, {offset + buffer.nbytes}) is misaligned or outside {plan.arena_bytes} B"
            )
        for t in buffer.tensors:
            if t in place:
                raise PlanError(f"{graph.tensor(t).name} has two places")
            if graph.tensor(t).nbytes > buffer.nbytes:
                raise PlanError(f"{graph.tensor(t).name} needs {graph.tensor(t).nbytes} B, has {buffer.nbytes}")
            place[t] = (i, offset)
    views = {op.outputs[0]: op for op in graph.ops if isinstance(op.attrs, ir.Reshape)}
    for t, op in views.items():
        if place.get(op.inputs[0]) != place.get(t):
            raise PlanError(f"{op.name} is a view but lies elsewhere than what it views")
    for buffer in plan.buffers:
        if sum(t not in views for t in buffer.tensors) != 1:
            raise PlanError(f"{buffer.name}: its tensors are not views of one")
    if plan.arena_bytes < plan.lower_bound_bytes:
        raise PlanError(f"arena of {plan.arena_bytes} B is below its lower bound of {plan.lower_bound_bytes} B")
    return place


def _apart(plan: MemoryPlan, a: int, b: int, where: str) -> None:
    (x, n), (y, m) = ((plan.offsets[i], plan.buffers[i].nbytes) for i in (a, b))
    if x < y + m and y < x + n:
        raise PlanError(f"{where}: {plan.buffers[a].name} overwrites {plan.buffers[b].name}")


def _check_dying_input(graph: Graph, op: Op, k: int, place: dict[TensorId, tuple[int, int]], where: str) -> None:
    """No output may reach what the operator has yet to read of its input k."""
    read = place[op.inputs[k]][1]
    for t in op.outputs:
        written = place[t][1]
        walk = _walk(graph, op, k, t)
        hit = (written + walk.write_begin < read + walk.need_end) & (read + walk.need_begin < written + walk.write_end)
        hit &= (walk.need_begin < walk.need_end) & (walk.write_begin < walk.write_end)
        if hit.any():
            raise PlanError(
                f"{where}: step {int(np.argmax(hit))} of {len(hit)} of {graph.tensor(t).name} overwrites what is still "
                f"to be read of {graph.tensor(op.inputs[k]).name}"
            )


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
                return _pixels(x.nbytes, y.nbytes, x.size // x.shape[-1])
            return _windows(x.nbytes, y.nbytes, x.shape, y.shape, height, conv.stride[0], conv.padding[0])
        case ir.DepthwiseConv2D() as conv if k == 0:
            height = graph.tensor(op.inputs[1]).shape[1]
            return _windows(x.nbytes, y.nbytes, x.shape, y.shape, height, conv.stride[0], conv.padding[0])
        case ir.AvgPool2D() | ir.MaxPool2D() as pool:
            return _windows(x.nbytes, y.nbytes, x.shape, y.shape, pool.kernel[0], pool.stride[0], pool.padding[0])
        case ir.ResizeNearest() | ir.ResizeBilinear() if x.shape[0] == 1:
            first, end = _resize_rows(x.shape[1], y.shape[1], op.attrs)
            return _rows(x.nbytes // x.shape[1], y.nbytes // y.shape[1], first, end)
        case _:
            return whole


def _pixels(in_bytes: int, out_bytes: int, pixels: int) -> Walk:
    p = np.arange(pixels, dtype=np.int64)
    a, b = in_bytes // pixels, out_bytes // pixels
    return Walk(p * b, (p + 1) * b, p * a, np.full_like(p, in_bytes))


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
    top = np.arange(out_shape[1], dtype=np.int64) * stride - pad
    first, end = np.clip(top, 0, in_shape[1]), np.clip(top + kernel, 0, in_shape[1])
    return _rows(in_bytes // in_shape[1], out_bytes // out_shape[1], first, end)


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
