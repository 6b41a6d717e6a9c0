"""Schedule: in which order operators run, and how much of every feature map exists at a time.

A stage is a run of operators that advance together. A stage of one operator without map plans is a *layer*: its maps
are whole and its kernel is called once. Any other stage sweeps its maps in raster order: a tick is a few rows, within
it a tick is a few columns, and at each tick every operator computes what its `MapPlan` says. Layer by layer, rows,
delayed residuals, patches with their halo kept or computed again (MCUNetV2, StreamNet) are values of this one type.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tessera.ir.graph import Graph, TensorId
from tessera.kernels.isa import PORTABLE, KernelSet


class InputMode(Enum):
    """How the application hands over the image."""

    RESIDENT = "resident"  # the whole frame lies in the arena and is counted
    STREAMED = "streamed"  # each row is pulled once, in order
    REREAD = "reread"  # any part of a row may be pulled again: frame buffer elsewhere, flash


@dataclass(frozen=True, slots=True)
class Sweep:
    """How a map advances along one axis.

    It fires at ticks phase, phase + period, ... of its stage. The k-th time it computes
    [begin + k * step, begin + k * step + size), cut to the map. size == step: everything once; size > step: the rest
    is computed again.
    """

    period: int
    phase: int
    step: int
    begin: int
    size: int

    def fires(self, tick: int) -> bool:
        return tick >= self.phase and (tick - self.phase) % self.period == 0

    def span(self, tick: int) -> tuple[int, int]:
        """What it computes at `tick`, at which it must fire; not cut to the map."""
        begin = self.begin + (tick - self.phase) // self.period * self.step
        return begin, begin + self.size


@dataclass(frozen=True, slots=True)
class MapPlan:
    """A map that its stage computes or pulls.

    `lines` whole rows are kept, row y in slot y % lines (all of them: the map is whole). A map without `windowed` is
    written straight into its lines. A windowed one is computed in a window of rows.size x (left + cols.size) pixels
    that exists only within a tick: what is computed stands behind `left` columns of the span before. After the last
    operator that reads it at a tick, the columns that no later span needs go to the lines, the last `left` columns to
    a place of their own.
    """

    tensor: TensorId
    rows: Sweep
    cols: Sweep
    lines: int
    windowed: bool = False
    left: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """Operators (indices into graph.ops) that advance together, in this order.

    Empty `maps`: a layer, one operator on whole maps. Else one MapPlan for each output of `ops`, and before them one
    for each graph input that this stage pulls through `input_row`.
    """

    ops: tuple[int, ...]
    maps: tuple[MapPlan, ...] = ()
    row_ticks: int = 1
    col_ticks: int = 1

    @property
    def is_layer(self) -> bool:
        return not self.maps


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Stages in execution order. View operators (see `is_view`) are in no stage: they cost nothing. `kernels`: those
    that may carry it out, which decide what scratch there must be."""

    graph: Graph
    stages: tuple[Stage, ...]
    input_mode: InputMode = InputMode.RESIDENT
    kernels: KernelSet = PORTABLE
