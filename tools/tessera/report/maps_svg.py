"""Feature maps as rectangles with marked regions: the frame of the pictures of patches and of streamed stages.

Maps, or the details of them that are shown, are drawn to one size; their true sizes are written below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.report.svg import px, render_svg

SIDE = 128.0  # px of a map's longer side
CELL_WIDTH, CELL_HEIGHT = 158, 232
LEFT, TOP = 24, 96
IN_ROW = 7


@dataclass(frozen=True, slots=True)
class Region:
    """Rows and columns of a map, cut to it when drawn. `kind` is a key of the picture's colours."""

    kind: str
    rows: tuple[int, int]
    cols: tuple[int, int]


@dataclass(frozen=True, slots=True)
class MapPanel:
    """A map, or the given rows and columns of one: its regions from back to front, grid lines before rows and columns,
    and lines of text below."""

    name: str
    rows: tuple[int, int]
    cols: tuple[int, int]
    regions: tuple[Region, ...]
    texts: tuple[str, ...]
    grid_rows: tuple[int, ...] = ()
    grid_cols: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Colour:
    fill: str
    stroke: str
    text: str  # in the legend


@dataclass(frozen=True, slots=True)
class _Rect:
    x: float
    y: float
    width: float
    height: float
    fill: str
    stroke: str
    tip: str


@dataclass(frozen=True, slots=True)
class _Cell:
    x: float
    y: float
    width: float
    height: float
    rects: tuple[_Rect, ...]
    grid: str  # a path
    name: str
    text_y: float
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    x: float
    fill: str
    stroke: str
    text: str


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    summary: str
    width: float
    height: float
    left: float
    legend: tuple[_Entry, ...]
    cells: tuple[_Cell, ...]


def maps_svg(title: str, summary: str, panels: Sequence[MapPanel], colours: dict[str, Colour]) -> str:
    """Panels from left to right, then down. Colours that occur are explained in the order given."""
    cells = tuple(_cell(panel, colours, *divmod(number, IN_ROW)) for number, panel in enumerate(panels))
    used = {region.kind for panel in panels for region in panel.regions}
    legend: list[_Entry] = []
    x = float(LEFT)
    for kind, colour in colours.items():
        if kind in used:
            legend.append(_Entry(px(x), colour.fill, colour.stroke, colour.text))
            x += 40 + 6.2 * len(colour.text)
    columns, rows = min(len(panels), IN_ROW), -(-len(panels) // IN_ROW)
    width = max(2 * LEFT + CELL_WIDTH * columns, x, 7.2 * len(summary) + LEFT)
    return render_svg(
        "maps_svg.svg.jinja2",
        _Page(title, summary, px(width), TOP + CELL_HEIGHT * rows, LEFT, tuple(legend), cells),
    )


def _cell(panel: MapPanel, colours: dict[str, Colour], row: int, column: int) -> _Cell:
    (top, bottom), (left, right) = panel.rows, panel.cols
    scale = SIDE / max(bottom - top, right - left)
    x0, y0 = LEFT + CELL_WIDTH * column, TOP + CELL_HEIGHT * row
    rects: list[_Rect] = []
    for region in panel.regions:
        rows, cols = _cut(region.rows, panel.rows), _cut(region.cols, panel.cols)
        if rows[0] < rows[1] and cols[0] < cols[1]:
            colour = colours[region.kind]
            x, y = px(x0 + scale * (cols[0] - left)), px(y0 + scale * (rows[0] - top))
            size = px(scale * (cols[1] - cols[0])), px(scale * (rows[1] - rows[0]))
            rects.append(_Rect(x, y, *size, colour.fill, colour.stroke, _tip(colour, region)))
    across = (f"M{px(x0)} {px(y0 + scale * (y - top))}h{px(scale * (right - left))}" for y in panel.grid_rows)
    down = (f"M{px(x0 + scale * (x - left))} {px(y0)}v{px(scale * (bottom - top))}" for x in panel.grid_cols)
    return _Cell(
        px(x0),
        px(y0),
        px(scale * (right - left)),
        px(scale * (bottom - top)),
        tuple(rects),
        "".join((*across, *down)),
        panel.name,
        px(y0 + scale * (bottom - top) + 18),
        panel.texts,
    )


def _tip(colour: Colour, region: Region) -> str:
    (top, bottom), (left, right) = region.rows, region.cols
    return f"{colour.text}: rows {top} to {bottom - 1}, columns {left} to {right - 1}"


def _cut(span: tuple[int, int], limits: tuple[int, int]) -> tuple[int, int]:
    return max(span[0], limits[0]), min(span[1], limits[1])
