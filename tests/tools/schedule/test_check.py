"""Pieces and check values against a stage that is walked tick by tick."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small_graphs import Builder

from tessera.ir.graph import TensorId
from tessera.schedule.check import computed_pixels, expected_check, pieces_of
from tessera.schedule.schedule import MapPlan, Schedule, Stage, Sweep

sweeps = st.builds(
    Sweep, st.integers(1, 3), st.integers(0, 4), st.integers(1, 4), st.integers(-5, 3), st.integers(1, 5)
)


@given(sweeps, sweeps, st.integers(1, 8), st.integers(1, 8), st.integers(1, 9), st.integers(1, 9))
def test_pieces(rows: Sweep, cols: Sweep, row_ticks: int, col_ticks: int, height: int, width: int) -> None:
    plan = MapPlan(TensorId(0), rows, cols, height)
    stage = Stage((0,), (plan,), row_ticks, col_ticks)
    expected = []
    for t in range(row_ticks):
        for u in range(col_ticks):
            if rows.fires(t) and cols.fires(u):
                (top, bottom), (begin, end) = rows.span(t), cols.span(u)
                inside = [x for x in range(begin, end) if 0 <= x < width]
                expected += [(y, inside[0], inside[-1] + 1) for y in range(top, bottom) if inside and 0 <= y < height]
    assert list(pieces_of(stage, plan, height, width)) == expected
    assert computed_pixels(stage, plan, height, width) == sum(end - begin for _, begin, end in expected)


def crc(y: int, begin: int, end: int, data: bytes) -> int:
    return zlib.crc32(struct.pack("<3i", y, begin, end) + data)


def test_check_values() -> None:
    b = Builder()
    x = b.input(1, 3, 2, 1)
    y = b.lookup(x)
    m = b.mean(y)
    graph = b.graph(m)
    columns = Sweep(1, 0, 2, 0, 2)
    maps = (MapPlan(y, Sweep(1, 0, 1, 0, 2), columns, 3), MapPlan(m, Sweep(1, 0, 1, 0, 1), columns, 3))
    schedule = Schedule(graph, (Stage((0, 1), maps, 3, 1),))
    value = np.array([[1, 2], [3, 4], [5, 6]], np.int8).reshape(1, 3, 2, 1)
    top, middle, bottom = crc(0, 0, 2, b"\1\2"), crc(1, 0, 2, b"\3\4"), crc(2, 0, 2, b"\5\6")
    assert expected_check(schedule, 0, 0, value) == (top + 2 * middle + 2 * bottom) % 2**32
    assert expected_check(schedule, 0, 1, np.array([9], np.int8).reshape(1, 1, 1, 1)) == crc(0, 0, 1, b"\x09")
    layers = Schedule(graph, (Stage((0,)), Stage((1,))))
    assert expected_check(layers, 0, 0, value) == zlib.crc32(bytes([1, 2, 3, 4, 5, 6]))
