"""`plan --pareto`: memory against work, for every way to hand over the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from tessera.bench.peers import PeerPoint, peer_points
from tessera.board import Board, load_board
from tessera.cli.choices import Choices
from tessera.cli.command import console, searching, write_file, write_json
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import Graph
from tessera.memory.planner import plan_memory
from tessera.models import find_model
from tessera.passes import PASSES, run_passes
from tessera.report.pareto import FrontPoint, pareto_svg
from tessera.schedule.cost import macs_executed
from tessera.schedule.paths import Point
from tessera.schedule.schedule import InputMode
from tessera.schedule.search import Search, schedule_of, search_front, start_search

APART = 1.05
"""Points that differ by less in memory are one."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A point of the front as planned: what its stages need and what they need once packed."""

    point: FrontPoint
    instructions: float  # estimated, as a multiple of the front's least
    stages: int


def plan_pareto(model_name: str, board_name: str, choices: Choices, svg: str, json_path: str) -> None:
    """The mode that was asked for first, the others after it; limits of SRAM and MACs do not matter."""
    model, board = find_model(model_name), load_board(board_name)
    graph = run_passes(load_tflite(model.read(), name=model.name), PASSES)
    modes = [choices.options.input_mode, *(m for m in InputMode if m is not choices.options.input_mode)]
    planned = {mode: _front(graph, mode) for mode in modes}
    _show(model.name, board, planned)
    points, peers = [p.point for front in planned.values() for p in front], peer_points(model.name)
    if svg:
        write_file(Path(svg), pareto_svg(points, peers, f"{model.name}: SRAM against work"))
        console.print(f"plot in {svg}", highlight=False)
    write_json(json_path, _report(model.name, board, planned, peers))


def _front(graph: Graph, mode: InputMode) -> list[Planned]:
    with searching(f"looking for the front of {graph.name}, {mode.value}") as progress:
        search, points = search_front(start_search(graph, mode), progress)
    planned: list[Planned] = []
    for point in _apart(points):
        found = _planned(search, point, points, mode)
        if not planned or found.point.factor < planned[-1].point.factor:
            planned.append(found)
    return [p for p in planned if not _beaten(p, planned)]


def _apart(points: Sequence[Point]) -> list[Point]:
    """From the least memory up; always with the last, which computes nothing again."""
    chosen: list[Point] = []
    for point in points:
        if not chosen or point.bytes >= APART * chosen[-1].bytes or point is points[-1]:
            chosen.append(point)
    return chosen


def _planned(search: Search, point: Point, points: Sequence[Point], mode: InputMode) -> Planned:
    schedule = schedule_of(search.space, point)
    nbytes, macs = plan_memory(schedule, time_limit_s=0.5).arena_bytes, macs_executed(schedule)
    factor = macs / search.macs if search.macs else 1.0
    work = point.cost / max(1, min(p.cost for p in points))
    return Planned(FrontPoint(nbytes, macs, factor, mode), work, len(schedule.stages))


def _beaten(p: Planned, others: Sequence[Planned]) -> bool:
    """By one that needs no more memory and executes no more MACs."""
    return any(
        q.point.bytes <= p.point.bytes and q.point.factor <= p.point.factor and q.point != p.point for q in others
    )


def _show(name: str, board: Board, planned: dict[InputMode, list[Planned]]) -> None:
    table = Table(title=f"{name}: memory against work", title_justify="left")
    for column in ("input", "SRAM B", "MACs x", "instructions x", "stages", f"in one memory of {board.name}"):
        table.add_column(column, justify="left" if column == "input" else "right")
    for mode, front in planned.items():
        for p in front:
            fits = "yes" if any(p.point.bytes <= m.limit_bytes for m in board.memories) else "no"
            numbers = f"{p.point.bytes:,}", f"{p.point.factor:.3f}", f"{p.instructions:.3f}", f"{p.stages}", fits
            table.add_row(mode.value, *numbers)
    console.print(table)


def _report(
    name: str, board: Board, planned: dict[InputMode, list[Planned]], peers: Sequence[PeerPoint]
) -> dict[str, Any]:
    return {
        "model": name,
        "board": board.name,
        "front": [
            {
                "input": mode.value,
                "sram_bytes": p.point.bytes,
                "macs_executed": p.point.macs,
                "macs_factor": p.point.factor,
                "instructions_factor_estimated": p.instructions,
                "stages": p.stages,
            }
            for mode, front in planned.items()
            for p in front
        ],
        "peers": [asdict(peer) for peer in peers],
    }
