"""What of every map of a streamed stage exists at one tick: the rows kept, the window, the columns left from before."""

from __future__ import annotations

from tessera.report.maps_svg import Colour, MapPanel, Region, maps_svg
from tessera.report.svg import fit, map_names
from tessera.schedule.schedule import MapPlan, Schedule, Stage, Sweep
from tessera.schedule.streamable import streamable

COLOURS = {
    "kept": Colour("#93d1b5", "#3c8a68", "rows kept"),
    "window": Colour("#8fb8e8", "#3f6fa8", "computed at this tick"),
    "again": Colour("#f2b8a0", "#b5534a", "of that, computed before"),
    "left": Colour("#f6c667", "#b98519", "columns left from the span before"),
}
NAME_CHARACTERS = 20
DETAIL = 12  # rows and columns of a map that are drawn


def stage_svg(schedule: Schedule, number: int, title: str, tick: tuple[int, int] | None = None) -> str:
    """`tick`: row and column tick; without it one in the middle. A map that does not fire then is shown as it fired
    last."""
    stage = schedule.stages[number]
    assert stage.maps, "a layer has no ticks"
    t, u = tick or (stage.row_ticks // 2, stage.col_ticks // 2)
    names = map_names([schedule.graph.tensor(m.tensor).name for m in stage.maps])
    panels = tuple(_panel(schedule, stage, m, name, t, u) for m, name in zip(stage.maps, names, strict=True))
    summary = (
        f"stage {number}: {len(stage.ops)} operators, row tick {t} of {stage.row_ticks}, column tick {u} of "
        f"{stage.col_ticks}; {DETAIL} x {DETAIL} pixels of each map, what is not in memory grey"
    )
    return maps_svg(title, summary, panels, COLOURS)


def _panel(schedule: Schedule, stage: Stage, part: MapPlan, name: str, t: int, u: int) -> MapPanel:
    graph = schedule.graph
    makers = [op for op in graph.ops if part.tensor in op.outputs]
    reduces = any(way is not None and way.reduces for way in (streamable(graph, op) for op in makers))
    _, height, width, channels = graph.tensor(makers[0].inputs[0] if reduces else part.tensor).shape
    rows, cols = _last_span(part.rows, t), _last_span(part.cols, u)
    shown = rows is not None and cols is not None and not reduces
    regions = _regions(part, height, width, rows or (0, 0), cols or (0, 0), t, u) if shown else []
    at_row = rows[1] - 2 if rows is not None else 0
    at_col = cols[1] if cols is not None and part.cols.size < width else width * u // stage.col_ticks
    view_rows, view_cols = _detail(at_row, height), _detail(at_col, width)
    kept = f"all {height} rows" if part.lines == height else f"{part.lines} rows kept"
    window = f"window {part.rows.size} x {part.left + part.cols.size}" if part.windowed else "in place"
    return MapPanel(
        name=fit(name, NAME_CHARACTERS),
        rows=view_rows,
        cols=view_cols,
        regions=tuple(regions),
        texts=(
            f"{height} x {width} x {channels}",
            "summed up" if reduces else f"{kept}, {window}",
            f"rows {view_rows[0]}.., columns {view_cols[0]}..",
        ),
        grid_rows=tuple(range(view_rows[0] + 1, view_rows[1])),
        grid_cols=tuple(range(view_cols[0] + 1, view_cols[1])),
    )


def _detail(middle: int, size: int) -> tuple[int, int]:
    begin = max(0, min(middle - DETAIL // 2, size - DETAIL))
    return begin, min(begin + DETAIL, size)


def _regions(
    part: MapPlan, height: int, width: int, rows: tuple[int, int], cols: tuple[int, int], t: int, u: int
) -> list[Region]:
    """As it is when the operators of the tick have run and nothing of it was put away."""
    before = _last_span(part.rows, t - part.rows.period)
    ended = min(before[1], height) if before is not None else 0  # rows above are from earlier row ticks
    # columns of this row tick's rows that were put away at earlier column ticks, over rows that nobody needs any more
    done = max(0, cols[0] - max(0, part.left - (part.cols.size - part.cols.step))) if u > part.cols.phase else 0
    regions: list[Region] = []
    if part.windowed and part.lines:
        regions = [
            Region("kept", (ended - part.lines, ended), (done, width)),
            Region("kept", (rows[1] - part.lines, rows[1]), (0, done)),
        ]
    elif part.lines:
        oldest = min(rows[1], height) - part.lines
        regions = [Region("kept", (oldest, ended), (0, width)), Region("kept", rows, (0, cols[0]))]
    if part.left and cols[0] > 0:
        regions.append(Region("left", rows, (cols[0] - part.left, cols[0])))
    regions.append(Region("window", rows, cols))
    if before is not None and part.rows.size > part.rows.step:
        regions.append(Region("again", (rows[0], before[1]), cols))
    if u > part.cols.phase and part.cols.size > part.cols.step:
        regions.append(Region("again", rows, (cols[0], cols[0] + part.cols.size - part.cols.step)))
    return regions


def _last_span(sweep: Sweep, tick: int) -> tuple[int, int] | None:
    """What it computed when it fired last, at `tick` or before."""
    if tick < sweep.phase:
        return None
    return sweep.span(tick - (tick - sweep.phase) % sweep.period)
