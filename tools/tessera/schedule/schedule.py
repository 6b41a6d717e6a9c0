"""Schedule: in which order operators run, and how much of every feature map exists at a time.

The unit of work is an output row (or a span of its columns). A stage is a run of operators that advance together; a
stage of one operator whose maps are all whole is a layer. Layer by layer is the schedule whose stages are all of that
kind; streaming, patches and rematerialisation are other values of this same type.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tessera.ir.graph import Graph, TensorId


class InputMode(Enum):
    """How the application hands over the image."""

    RESIDENT = "resident"  # the whole frame lies in the arena and is counted
    STREAMED = "streamed"  # each row is pulled once, in order
    REREAD = "reread"  # rows may be pulled again


@dataclass(frozen=True, slots=True)
class MapPlan:
    """A map inside a stage of which only `rows` rows by `cols` columns exist at a time."""

    tensor: TensorId
    rows: int
    cols: int


@dataclass(frozen=True, slots=True)
class Stage:
    """Operators (indices into graph.ops) that advance together, in this order; maps not listed in `maps` are whole."""

    ops: tuple[int, ...]
    maps: tuple[MapPlan, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Stages in execution order. View operators (see `is_view`) are in no stage: they cost nothing."""

    graph: Graph
    stages: tuple[Stage, ...]
    input_mode: InputMode = InputMode.RESIDENT
