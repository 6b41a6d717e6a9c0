"""Streamed stages whose plans are written out, one for each way of keeping and computing again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from networks import Network, draw_inputs
from streamed import assert_equal, sources_of

from on_host import guarded_plan
from tessera.codegen.host import build_host, run_host
from tessera.errors import TesseraError
from tessera.ir import attrs as ir
from tessera.ir.graph import DType
from tessera.memory.planner import plan_memory
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep
from tessera.schedule.verify import verify_schedule

ROW = Sweep(1, 0, 1, 0, 1)  # one a tick


def late(ticks: int) -> Sweep:
    return Sweep(1, 0, 1, -ticks, 1)


def at_once(size: int) -> Sweep:
    """All at the first column tick."""
    return Sweep(1, 0, size, 0, size)


def row_rings(mode: InputMode) -> Schedule:
    """Full width, a row a tick: the input in a ring until the residual sum reads it, two late rows behind."""
    n = Network(1)
    x = n.input(9, 7, 4)
    e = n.conv(x, 6, (3, 3))
    d = n.depthwise(e, (3, 3))
    p = n.conv(d, 4, (1, 1))
    y = n.two(ir.Add, x, p)
    cols = at_once(7)
    maps = [MapPlan(e, late(1), cols, 3), MapPlan(d, late(2), cols, 1), MapPlan(p, late(2), cols, 1)]
    maps.append(MapPlan(y, late(2), cols, 9))
    if mode is not InputMode.RESIDENT:
        maps.insert(0, MapPlan(x, ROW, cols, 3))
    return Schedule(n.graph(y), (Stage((0, 1, 2, 3), tuple(maps), 11, 1),), mode)


def windows() -> Schedule:
    """Two rows and three columns a tick: two columns left of a map, two lines kept, through two 3x3 convolutions."""
    n = Network(2)
    x = n.input(8, 12, 3)
    a = n.conv(x, 5, (3, 3))
    b = n.conv(a, 4, (3, 3))
    maps = (
        MapPlan(x, Sweep(1, 0, 2, 0, 2), Sweep(5, 0, 12, 0, 12), 4),
        MapPlan(a, Sweep(1, 0, 2, -1, 2), Sweep(1, 0, 3, -2, 3), 2, windowed=True, left=2),
        MapPlan(b, Sweep(1, 0, 2, -2, 2), Sweep(1, 1, 3, 0, 3), 8),
    )
    return Schedule(n.graph(b), (Stage((0, 1), maps, 5, 5),), InputMode.STREAMED)


def windows_of_single_columns() -> Schedule:
    """A column a tick under 5x5 and strided 7x3 windows: more columns left of a span than in it, lines in one row."""
    n = Network(8)
    x = n.input(7, 9, 2)
    a = n.conv(x, 3, (5, 5))
    b = n.depthwise(a, (7, 3), (1, 2), multiplier=2)
    maps = (
        MapPlan(a, ROW, ROW, 6, windowed=True, left=4),
        MapPlan(b, late(3), Sweep(2, 1, 1, 0, 1), 7),
    )
    return Schedule(n.graph(b), (Stage((0, 1), maps, 10, 10),))


def computed_again() -> Schedule:
    """Patches of 4 x 4: the map between is computed with its halo, nothing is kept; the input is read again."""
    n = Network(3)
    x = n.input(10, 11, 3)
    a = n.conv(x, 5, (3, 3))
    b = n.depthwise(a, (3, 3), (2, 2))
    h = n.shape(b)[1]
    maps = (
        MapPlan(x, Sweep(1, 0, 4, -1, 7), Sweep(1, 0, 4, -2, 7), 0, windowed=True),
        MapPlan(a, Sweep(1, 0, 4, 0, 5), Sweep(1, 0, 4, -1, 5), 0, windowed=True),
        MapPlan(b, Sweep(1, 0, 2, 0, 2), Sweep(1, 0, 2, 0, 2), h),
    )
    return Schedule(n.graph(b), (Stage((0, 1), maps, 3, 3),), InputMode.REREAD)


def rows_again_columns_kept() -> Schedule:
    """The rows between two steps are computed again, the columns between two spans are kept: no lines, only left."""
    n = Network(9)
    x = n.input(7, 9, 3)
    a = n.conv(x, 4, (3, 3))
    b = n.conv(a, 3, (3, 3))
    maps = (
        MapPlan(a, Sweep(1, 0, 2, -1, 4), ROW, 0, windowed=True, left=2),
        MapPlan(b, Sweep(1, 0, 2, 0, 2), late(1), 7),
    )
    return Schedule(n.graph(b), (Stage((0, 1), maps, 4, 10),))


def layers() -> Schedule:
    """Whole maps, and a mean of means among them."""
    n = Network(10)
    x = n.input(6, 5, 3)
    y = n.two(ir.Add, n.mean_of_means(x), x)
    return Schedule(n.graph(y), (Stage((0,)), Stage((1,))))


def squeeze_and_excite(reduction: str) -> Schedule:
    """A mean at the end of one stage, in spans of columns; layers; and the product with it in the next stage."""
    n = Network(4)
    x = n.input(6, 9, 4)
    a = n.conv(x, 6, (3, 3), (1, 2))
    m = {"mean": n.mean, "mean_of_means": n.mean_of_means, "average": n.average}[reduction](a)
    s = n.lookup(n.conv(m, 6, (1, 1)))
    y = n.two(ir.Mul, a, s)
    z = n.two(ir.Sub, y, n.vector(6))
    first = (MapPlan(a, ROW, Sweep(1, 0, 2, 0, 2), 6), MapPlan(m, ROW, Sweep(1, 0, 2, 0, 2), 6))
    second = (MapPlan(y, ROW, at_once(5), 0, windowed=True), MapPlan(z, ROW, at_once(5), 6))
    stages = (Stage((0, 1), first, 6, 3), Stage((2,)), Stage((3,)), Stage((4, 5), second, 6, 1))
    return Schedule(n.graph(z, a), stages)


def different_rates() -> Schedule:
    """Half the rows, then all again by both resizes, beside a map that is there; a softmax over the channels."""
    n = Network(5)
    x = n.input(8, 6, 3)
    a = n.pool(ir.MaxPool2D, x, (3, 3), (2, 2))
    b = n.resize(ir.ResizeBilinear, a, (2, 2), False, True)
    c = n.resize(ir.ResizeNearest, a, (2, 2), False, False)
    e = n.softmax(n.concat(c, b, x))
    late_rows = [MapPlan(n.ops[k].outputs[0], late(3), at_once(6), 8 if k == 4 else 1) for k in range(1, 5)]
    maps = (MapPlan(a, Sweep(2, 0, 1, 0, 1), at_once(3), 4), *late_rows)
    return Schedule(n.graph(e), (Stage((0, 1, 2, 3, 4), maps, 11, 1),))


def borders() -> Schedule:
    """Explicit padding above, below and beside; pools over it; a slope for each channel; all element-wise kinds."""
    n = Network(6)
    x = n.input(5, 4, 3)
    a = n.pad(x, 2, 1, 1, 3)
    b = n.pool(ir.AvgPool2D, a, (2, 3), (1, 1))
    c = n.prelu(b)
    d = n.two(ir.Mul, c, b)
    e = n.two(ir.Add, n.vector(1), d)
    rows, cols = Sweep(1, 0, 2, -2, 2), Sweep(1, 0, 3, -3, 3)
    windowed = [MapPlan(t, rows, cols, 0, windowed=True) for t in (c, d)]
    maps = (
        MapPlan(a, Sweep(1, 0, 2, -1, 2), Sweep(1, 0, 3, -2, 3), 1, windowed=True, left=2),
        MapPlan(b, rows, cols, 0, windowed=True),
        *windowed,
        MapPlan(e, rows, cols, 8),
    )
    return Schedule(n.graph(e), (Stage((0, 1, 2, 3, 4), maps, 5, 4),))


def unsigned_edge() -> Schedule:
    """uint8 at the edge: a table makes it signed, another one brings it back, each a row at a time."""
    n = Network(7)
    x = n.input(4, 5, 3, DType.UINT8)
    a = n.lookup(x)
    b = n.conv(a, 4, (1, 1), (1, 1))
    cols = at_once(5)
    maps = (MapPlan(x, ROW, cols, 1), MapPlan(a, ROW, cols, 1), MapPlan(b, ROW, cols, 4))
    return Schedule(n.graph(b), (Stage((0, 1), maps, 4, 1),), InputMode.STREAMED)


SCHEDULES = {
    "row rings": lambda: row_rings(InputMode.RESIDENT),
    "row rings of a streamed input": lambda: row_rings(InputMode.STREAMED),
    "row rings of an input that can be read again": lambda: row_rings(InputMode.REREAD),
    "windows": windows,
    "windows of single columns": windows_of_single_columns,
    "computed again": computed_again,
    "rows again, columns kept": rows_again_columns_kept,
    "layers": layers,
    "mean": lambda: squeeze_and_excite("mean"),
    "mean of means": lambda: squeeze_and_excite("mean_of_means"),
    "average": lambda: squeeze_and_excite("average"),
    "different rates": different_rates,
    "borders": borders,
    "unsigned edge": unsigned_edge,
}


@pytest.mark.parametrize("plan", ["one memory", "two memories", "planned"])
def test_stages(plan: str, tmp_path: Path) -> None:
    planned = []
    for make in SCHEDULES.values():
        schedule = make()
        verify_schedule(schedule)
        memories = {"one memory": 1, "two memories": 2}.get(plan)
        planned.append((schedule, guarded_plan(schedule, memories) if memories else plan_memory(schedule)))
    assert_equal(planned, tmp_path, inputs=2)


def test_a_streamed_input_is_asked_for_whole_rows_in_order(tmp_path: Path) -> None:
    """What may be done with an input that can be read again is found where rows come once."""
    schedule = replace(computed_again(), input_mode=InputMode.STREAMED)
    program = build_host(sources_of(schedule, guarded_plan(schedule), "again"), tmp_path)
    with pytest.raises(TesseraError, match="something else than its next row, whole"):
        run_host(program, draw_inputs(schedule.graph, 0))


def test_a_streamed_input_is_asked_for_all_rows(tmp_path: Path) -> None:
    """Also for those that nobody reads."""
    n = Network(11)
    x = n.input(5, 2, 1)
    y = n.pool(ir.MaxPool2D, x, (2, 2), (2, 2), padded=False)
    maps = (MapPlan(x, Sweep(1, 0, 2, 0, 2), at_once(2), 2), MapPlan(y, ROW, at_once(1), 2))
    schedule = Schedule(n.graph(y), (Stage((0,), maps, 2, 1),), InputMode.STREAMED)
    program = build_host(sources_of(schedule, guarded_plan(schedule), "short"), tmp_path)
    with pytest.raises(TesseraError, match="not asked for all its rows"):
        run_host(program, draw_inputs(schedule.graph, 0))


def test_a_kernel_that_leaves_its_buffer_is_caught(tmp_path: Path) -> None:
    """A ring of four rows under a plan of three: the row behind the buffer is a guard."""
    schedule = row_rings(InputMode.STREAMED)
    plan = guarded_plan(schedule)
    (stage,) = schedule.stages
    longer = replace(stage, maps=(replace(stage.maps[0], lines=4), *stage.maps[1:]))
    sources = sources_of(replace(schedule, stages=(longer,)), plan, "longer")
    with pytest.raises(TesseraError, match="use-after-poison"):
        run_host(build_host(sources, tmp_path), draw_inputs(schedule.graph, 0))
