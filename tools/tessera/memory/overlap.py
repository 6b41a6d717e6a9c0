"""Safe overlap: how far an operator's output may run into an input that dies there.

Output written from low to high addresses eats its input from the front. When the output starts `lead` bytes below the
input, what is written never reaches what is still to be read. In-place elementwise operators, in-place depthwise
(TinyEngine) and a convolution that slides over its input (vMCU) are this one rule. It mirrors what the portable kernels
promise in their headers:

* a spatial operator computes output rows in increasing order; row r reads the rows of its window and writes row r;
* a pointwise operator computes pixels in increasing order, PIXELS at a time, written while they are being read;
* a depthwise convolution computes channel after channel and writes only bytes of that channel: in place or apart;
* an elementwise operator reads element i before it writes element i, in increasing order.

A streamed stage that makes one whole map and reads another to its end is the same rule in row ticks: all that a tick
writes may be there before anything that the tick reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from tessera.ir.attrs import (
    Add,
    AvgPool2D,
    Conv2D,
    DepthwiseConv2D,
    Dequantize,
    FullyConnected,
    Lookup,
    MaxPool2D,
    Mul,
    PRelu,
    Quantize,
    ResizeBilinear,
    ResizeNearest,
    Sub,
)
from tessera.ir.graph import Graph, Op, Tensor, TensorId
from tessera.memory.align import align_up
from tessera.schedule.schedule import MapPlan, Stage
from tessera.schedule.streamable import Axis, Upsample, streamable

PIXELS = 4
"""What kernels of pointwise convolutions take at a time."""


def lead_bytes(graph: Graph, op: Op, input_index: int) -> int | None:
    """How many bytes below the start of this input the output must start at least; None: they must be disjoint.

    Whether the input dies at this operator, and what its other operands need, is for the caller to ask.
    """
    source, target = graph.tensor(op.inputs[input_index]), graph.tensor(op.outputs[0])
    match op.attrs:
        case Lookup() | Add() | Sub() | Mul() | PRelu():
            same = source.shape == target.shape and source.dtype.nbytes >= target.dtype.nbytes
            return 0 if same else None
        case Quantize() | Dequantize():
            wide, narrow = target.dtype.nbytes, source.dtype.nbytes
            return 0 if wide <= narrow else _run_lead(target.size, wide, narrow)
        case FullyConnected() if input_index == 0:
            outputs, inputs = graph.tensor(op.inputs[1]).shape
            return _run_lead(target.size // outputs, outputs * target.dtype.nbytes, inputs * source.dtype.nbytes)
        case Conv2D() as conv if input_index == 0 and is_pointwise(graph, op, conv):
            pixels = target.size // target.shape[-1]
            return _run_lead(pixels, target.nbytes // pixels, source.nbytes // pixels, PIXELS)
        case DepthwiseConv2D() as conv if input_index == 0:
            rows = graph.tensor(op.inputs[1]).shape[1]
            return 0 if _keeps_ahead(source, target, conv, rows) else None  # only in place, see make_overlaps
        case Conv2D() as conv if input_index == 0:
            kernel_rows = graph.tensor(op.inputs[1]).shape[1]
            return _window_lead(source, target, kernel_rows, conv.stride[0], conv.padding[0])
        case AvgPool2D() | MaxPool2D() as pool:
            return _window_lead(source, target, pool.kernel[0], pool.stride[0], pool.padding[0])
        case ResizeNearest() as nearest:
            return _row_lead(source, target, _nearest_rows(source.shape[1], target.shape[1], nearest))
        case ResizeBilinear() as bilinear:
            return _row_lead(source, target, _bilinear_rows(source.shape[1], target.shape[1], bilinear))
        case _:
            return None


def streamed_lead_bytes(graph: Graph, stage: Stage, target: MapPlan, source: TensorId) -> int | None:
    """The same for a map that a streamed stage makes whole and one that exists whole before; None: they must be
    disjoint. Whether the source dies in the stage and whether a view of it is read as well is for the caller to ask."""
    x, y = graph.tensor(source), graph.tensor(target.tensor)
    plans = {m.tensor: m for m in stage.maps}
    ticks = range(stage.row_ticks)
    needed = [x.shape[1]] * stage.row_ticks if len(x.shape) == 4 else []  # first row read at a tick
    for op in (graph.ops[i] for i in stage.ops):
        described, rows = streamable(graph, op), plans[op.outputs[0]].rows
        if described is None or not needed or (described.reduces and op.outputs[0] == target.tensor):
            return None
        height = (x if described.reduces else graph.tensor(op.outputs[0])).shape[1]
        late = op.outputs[0] == target.tensor and _eats_in_order(graph, op, stage, target, source)
        for axis in (s.rows for s in described.sources if s.tensor == source):
            if axis is None:
                return None
            for t in (t for t in ticks if rows.fires(t)):
                first, end = max(0, rows.span(t)[0]), min(height, rows.span(t)[1])
                if first < end:  # what is read in order may be overwritten at its own tick, later rows not
                    row = end if late else _first_row(axis, first, x.shape[1])
                    needed[t] = min(needed[t], row)
    lead, at = 0, x.shape[1]
    for t in reversed(ticks):
        at = min(at, needed[t])
        if at < x.shape[1]:
            firing = t - (t - target.rows.phase) % target.rows.period  # the last one up to this tick
            written = min(y.shape[1], target.rows.span(firing)[1]) if firing >= target.rows.phase else 0
            lead = max(lead, written * (y.nbytes // y.shape[1]) - at * (x.nbytes // x.shape[1]))
    return lead


def _eats_in_order(graph: Graph, op: Op, stage: Stage, target: MapPlan, source: TensorId) -> bool:
    """An element is read before it is written, and elements come once, in the order of the map: an elementwise operator
    whose rows come one after the other, each from left to right."""
    one_by_one = target.rows.size == 1 or stage.col_ticks == 1
    once = target.rows.size == target.rows.step and target.cols.size == target.cols.step
    same = graph.tensor(source).shape == graph.tensor(target.tensor).shape
    return isinstance(op.attrs, Lookup | Add | Sub | Mul | PRelu) and same and one_by_one and once


def _first_row(axis: Axis, row: int, height: int) -> int:
    """The first input row that output rows from `row` on read."""
    if isinstance(axis, Upsample):
        return max(0, min(height - 1, row // axis.factor + axis.low))
    return max(0, row * axis.stride - axis.pad)


def runs_in_place(graph: Graph, op: Op, target: MapPlan, source: MapPlan) -> bool:
    """The operator may write its window over the input's, which it reads last, pixel by pixel. What retires of the
    input, lines and columns kept, would retire too late."""
    return (
        isinstance(op.attrs, Lookup | Add | Sub | Mul | PRelu)
        and graph.tensor(target.tensor).shape == graph.tensor(source.tensor).shape
        and (target.rows, target.cols, target.left) == (source.rows, source.cols, source.left)
        and target.windowed
        and source.windowed
        and source.lines == source.left == 0
    )


def is_pointwise(graph: Graph, op: Op, conv: Conv2D) -> bool:
    """1x1, stride 1, no padding: the convolution that runs over pixels, not rows."""
    return graph.tensor(op.inputs[1]).shape[1:3] == (1, 1) and conv.stride == (1, 1) and not any(conv.padding)


def saved_bytes(target_bytes: int, sources: Iterable[tuple[int, int]]) -> int:
    """The most that one output can share with dying inputs, given as (bytes, lead); exact for one input."""
    aligned = [(align_up(nbytes), align_up(lead)) for nbytes, lead in sources]
    if not aligned:
        return 0
    return max(0, min(align_up(target_bytes) - min(lead for _, lead in aligned), sum(nbytes for nbytes, _ in aligned)))


def _keeps_ahead(source: Tensor, target: Tensor, conv: DepthwiseConv2D, kernel_rows: int) -> bool:
    """Each output row, in the input's place, ends before the last input row that it reads does."""
    (n, rows_in, width_in, _), (_, rows_out, width_out, _) = source.shape, target.shape
    read = [min(rows_in, r * conv.stride[0] - conv.padding[0] + kernel_rows) for r in range(rows_out)]
    ahead = all((r + 1) * width_out <= max(0, end) * width_in for r, end in enumerate(read))
    return n == 1 and conv.depth_multiplier == 1 and ahead


def _run_lead(count: int, out_bytes: int, in_bytes: int, group: int = 1) -> int:
    """The most, over the groups of a run, of the bytes written up to a group's end less those read up to its start."""
    last = (count - 1) // group * group
    return max(
        min(count, p + group) * out_bytes - p * in_bytes
        for p in {0, last, max(0, last - group)}  # linear in between
    )


def _window_lead(source: Tensor, target: Tensor, kernel_rows: int, stride: int, pad_top: int) -> int | None:
    def first_row(r: int) -> int | None:
        """First row of the window inside the map; None where the window lies in the padding."""
        begin, end = max(0, r * stride - pad_top), min(source.shape[1], r * stride - pad_top + kernel_rows)
        return begin if begin < end else None

    return _row_lead(source, target, [first_row(r) for r in range(target.shape[1])])


def _row_lead(source: Tensor, target: Tensor, first_rows: Sequence[int | None]) -> int | None:
    """max over output rows of the bytes written up to its end less the bytes of input that nobody needs any more."""
    if source.shape[0] != 1 or target.shape[0] != 1:
        return None
    out_bytes, in_bytes = target.nbytes // target.shape[1], source.nbytes // source.shape[1]
    lead, needed = 0, source.shape[1]  # needed: first input row that this or a later output row reads
    for r in reversed(range(target.shape[1])):
        first = first_rows[r]
        needed = needed if first is None else min(needed, first)
        if needed < source.shape[1]:
            lead = max(lead, (r + 1) * out_bytes - needed * in_bytes)
    return lead


def _nearest_rows(rows_in: int, rows_out: int, attrs: ResizeNearest) -> list[int | None]:
    """The input row of each output row (TFLite reference/resize_nearest_neighbor.h, float32)."""
    scale = np.float32(rows_in) / np.float32(rows_out)
    if attrs.align_corners and rows_out > 1:
        scale = np.float32(rows_in - 1) / np.float32(rows_out - 1)
    at = (np.arange(rows_out, dtype=np.float32) + np.float32(0.5 if attrs.half_pixel_centers else 0)) * scale
    rows = np.floor(at.astype(np.float64) + 0.5) if attrs.align_corners else np.floor(at)  # half away from zero
    return [int(r) for r in np.clip(rows, 0, rows_in - 1)]


def _bilinear_rows(rows_in: int, rows_out: int, attrs: ResizeBilinear) -> list[int | None]:
    """The upper of the two rows of each output row (TFLite reference/resize_bilinear.h, 10 fractional bits)."""
    scale = ((rows_in << 10) + rows_out // 2) // rows_out
    if attrs.align_corners and rows_out > 1:
        scale = (((rows_in - 1) << 10) + (rows_out - 1) // 2) // (rows_out - 1)
    shift = scale // 2 - 512 if attrs.half_pixel_centers else 0
    rows: list[int | None] = [min(max(r * scale + shift, 0) >> 10, rows_in - 1) for r in range(rows_out)]
    assert all(a <= b for a, b in pairwise(r for r in rows if r is not None))
    return rows
