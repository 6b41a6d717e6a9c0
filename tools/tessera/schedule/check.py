"""What firmware computes piece by piece: which pieces there are, and the check value that a step must answer.

A layer's check value is the CRC-32 of its tensor. A streamed step's is the sum modulo 2^32, over the pieces of rows
that it computes, recomputed ones again, of the CRC-32 of where the piece lies and of its bytes. A reduction has one
piece that counts, its result.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.ir.graph import TensorId
from tessera.schedule.schedule import MapPlan, Schedule, Stage, Sweep
from tessera.schedule.streamable import streamable

Piece = tuple[int, int, int]  # row y, columns [x_begin, x_end)


def expected_check(schedule: Schedule, stage_number: int, op_index: int, value: NDArray[Any]) -> int:
    """Of operator `op_index` (into graph.ops), which stage `stage_number` runs and whose output is `value`."""
    stage, op = schedule.stages[stage_number], schedule.graph.ops[op_index]
    if stage.is_layer:
        return zlib.crc32(np.ascontiguousarray(value).tobytes())
    described = streamable(schedule.graph, op)
    assert described is not None, op.name
    if described.reduces:
        return _piece_crc(value, (0, 0, 1))
    _, height, width, _ = value.shape
    pieces = pieces_of(stage, map_plan(stage, op.outputs[0]), height, width)
    return sum(_piece_crc(value[0, y, begin:end], (y, begin, end)) for y, begin, end in pieces) & 0xFFFFFFFF


def map_plan(stage: Stage, tensor: TensorId) -> MapPlan:
    return next(m for m in stage.maps if m.tensor == tensor)


def pieces_of(stage: Stage, plan: MapPlan, height: int, width: int) -> Iterator[Piece]:
    """The row spans that a stage computes of a map, in order."""
    columns = computed_spans(plan.cols, stage.col_ticks, width)
    for top, bottom in computed_spans(plan.rows, stage.row_ticks, height):
        for begin, end in columns:
            yield from ((y, begin, end) for y in range(top, bottom))


def computed_pixels(stage: Stage, plan: MapPlan, height: int, width: int) -> int:
    """Those that are computed again count again."""
    rows = sum(end - begin for begin, end in computed_spans(plan.rows, stage.row_ticks, height))
    return rows * sum(end - begin for begin, end in computed_spans(plan.cols, stage.col_ticks, width))


def computed_spans(sweep: Sweep, ticks: int, size: int) -> list[tuple[int, int]]:
    """What is computed along one axis from firing to firing, cut to the map, where anything is left."""
    spans = (sweep.span(t) for t in range(ticks) if sweep.fires(t))
    inside = ((max(0, begin), min(size, end)) for begin, end in spans)
    return [(begin, end) for begin, end in inside if begin < end]


def _piece_crc(data: NDArray[Any], piece: Piece) -> int:
    return zlib.crc32(np.ascontiguousarray(data).tobytes(), zlib.crc32(struct.pack("<3i", *piece)))
