"""What the picture shows of a map is what a simulation of its buffers holds."""

import re
import xml.etree.ElementTree as ET

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_graphs import Builder

from tessera.report import stage_svg as picture
from tessera.report.stage_svg import stage_svg
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep

SVG = "{http://www.w3.org/2000/svg}"
SIDE = picture.DETAIL  # a map that is drawn whole

Pixels = set[tuple[int, int]]


@st.composite
def map_plans(draw: st.DrawFn) -> tuple[MapPlan, int, int]:
    """A plan of a 12 x 12 map, its row ticks and column ticks: windows with any rows and columns kept, or rows written
    in place."""
    step, halo = draw(st.integers(1, 3)), draw(st.integers(0, 2))
    rows = Sweep(draw(st.integers(1, 2)), draw(st.integers(0, 1)), step, draw(st.integers(-3, 0)), step + halo)
    row_ticks = rows.phase + rows.period * (-(-(SIDE - rows.begin) // step) - 1) + 1
    if draw(st.booleans()):
        lines = draw(st.integers(rows.size, SIDE))
        return MapPlan(0, rows, Sweep(1, 0, SIDE, 0, SIDE), lines), row_ticks, 1  # type: ignore[arg-type]
    step, halo = draw(st.integers(1, 4)), draw(st.integers(0, 2))
    cols = Sweep(1, draw(st.integers(0, 1)), step, draw(st.integers(-2, 0)), step + halo)
    col_ticks = cols.phase + -(-(SIDE - cols.begin - halo) // step)
    lines, left = draw(st.integers(0, 4)), 0 if halo else draw(st.integers(0, 2))
    return MapPlan(0, rows, cols, lines, True, left), row_ticks, col_ticks  # type: ignore[arg-type]


def simulate(part: MapPlan, col_ticks: int, tick: tuple[int, int]) -> tuple[Pixels, Pixels, Pixels]:
    """Pixels in the rows kept, in the columns left and in the window once tick's operators have run."""
    lines: dict[tuple[int, int], int] = {}  # (slot, column) -> row
    left: Pixels = set()
    fired = [u for u in range(col_ticks) if part.cols.fires(u)]
    for t in range(tick[0] + 1):
        if not part.rows.fires(t):
            continue
        done = 0
        for u in fired:
            (row0, row1), (col0, col1) = part.rows.span(t), part.cols.span(u)
            pieces = range(max(row0, 0), min(row1, SIDE)), range(max(col0, 0), min(col1, SIDE))
            window = {(y, x) for y in pieces[0] for x in pieces[1]}
            restored = {(y, x) for y, x in left if row0 <= y < row1 and x < col0}
            if not part.windowed:
                lines |= {(y % part.lines, x): y for y, x in window}
            if t == last_firing(part.rows, tick[0]) and (u == last_firing(part.cols, tick[1])):
                kept = {(y, x) for (_, x), y in lines.items()}
                return kept, restored, window
            if part.windowed:
                hi = (
                    SIDE
                    if u == fired[-1]
                    else min(max(col1 - max(part.left, part.cols.size - part.cols.step), 0), SIDE)
                )
                for y in range(max(0, row0, row1 - part.lines), min(SIDE, row1)):
                    lines |= {(y % part.lines, x): y for x in range(done, hi)}
                done = max(done, hi)
                left = {(y, x) for y in pieces[0] for x in range(max(0, col1 - part.left), min(col1, SIDE))}
                left = set() if u == fired[-1] else left
    raise AssertionError("the tick never comes")


def last_firing(sweep: Sweep, tick: int) -> int:
    return max(t for t in range(tick + 1) if sweep.fires(t))


def drawn(text: str, kind: str) -> Pixels:
    pixels: Pixels = set()
    for rect in ET.fromstring(text).iter(f"{SVG}rect"):
        tip = rect.findtext(f"{SVG}title", "")
        if tip.startswith(picture.COLOURS[kind].text + ":"):
            top, bottom, first, last = map(int, re.findall(r"-?\d+", tip))
            pixels |= {
                (y, x)
                for y in range(max(top, 0), min(bottom + 1, SIDE))
                for x in range(max(first, 0), min(last + 1, SIDE))
            }
    return pixels


@given(map_plans(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_tick_shows_what_the_buffers_hold(plan: tuple[MapPlan, int, int], data: st.DataObject) -> None:
    part, row_ticks, col_ticks = plan
    b = Builder()
    b.input(1, SIDE, SIDE, 2)
    graph = b.graph(b.lookup(b.inputs[0]))
    output = MapPlan(graph.ops[0].outputs[0], part.rows, part.cols, SIDE)
    stage = Stage((0,), (part, output), row_ticks, col_ticks)
    schedule = Schedule(graph, (stage,), InputMode.REREAD)
    tick = (
        data.draw(st.integers(min(part.rows.phase, row_ticks - 1), row_ticks - 1)),
        data.draw(st.integers(min(part.cols.phase, col_ticks - 1), col_ticks - 1)),
    )
    # rows that are cut off at the bottom leave older ones in the slots that they would have had: nobody reads those
    assume(not part.windowed or part.rows.span(last_firing(part.rows, tick[0]))[1] <= SIDE)
    kept, left, window = simulate(part, col_ticks, tick)
    text = stage_svg(schedule, 0, "one map", tick)
    assert drawn(ET.tostring(first_cell(text), "unicode"), "window") == window
    cell = ET.tostring(first_cell(text), "unicode")
    assert drawn(cell, "left") == left
    assert drawn(cell, "kept") - window == kept - window


def first_cell(text: str) -> ET.Element:
    return next(
        g for g in ET.fromstring(text).iter(f"{SVG}g") if any("12 x 12 x 2" in (t.text or "") for t in g.iter())
    )
