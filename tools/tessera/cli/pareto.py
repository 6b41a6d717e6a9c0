"""`plan --pareto`: memory against work, for every way to hand over the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from rich.table import Table

from tessera.bench.peers import PeerPoint, peer_points
from tessera.board import Board, load_board
from tessera.cli.choices import Choices
from tessera.cli.command import console, searching, write_file, write_json
from tessera.errors import BadInput
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import Graph
from tessera.kernels.isa import Isa, KernelSet
from tessera.memory.planner import plan_memory
from tessera.models import find_model
from tessera.pipeline import possible_modes, simplify
from tessera.report.pareto import FrontPoint, pareto_svg
from tessera.schedule.cost import macs_executed
from tessera.schedule.paths import Point
from tessera.schedule.schedule import InputMode
from tessera.schedule.search import Search, schedule_of, search_front, start_search

APART = 0.05
"""Points are one where memory, relative to the lesser, and MACs, relative to the model's, together differ by less."""
PLAN_LIMIT_S = 0.5
"""Of the solver's work, for each point."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A point of the front with what its buffers need at addresses; `point.bytes` is arena and scratch."""

    point: FrontPoint
    scratch_bytes: int
    instructions: float  # estimated, as a multiple of the front's least
    stages: int


def plan_pareto(model_name: str, board_name: str, choices: Choices, svg: str, json_path: str) -> None:
    """The mode that was asked for first, the others after it."""
    model, board = find_model(model_name), load_board(board_name)
    if choices.options.sram_bytes is not None or choices.options.max_macs is not None:
        raise BadInput("--pareto shows what every limit allows; leave out --sram and --max-macs, or leave out --pareto")
    graph = simplify(load_tflite(model.read(), name=model.name), choices.edges)
    modes = sorted(possible_modes(graph), key=lambda mode: mode is not choices.options.input_mode)
    lean = KernelSet(Isa(board.isa), fast=False)  # as --max-macs takes them
    planned = {mode: _front(graph, mode, lean) for mode in modes}
    points, peers = [p.point for front in planned.values() for p in front], peer_points(model.name)
    _show(model.name, board, planned, peers)
    if svg:
        write_file(Path(svg), pareto_svg(points, peers, f"{model.name}: SRAM against work"))
        console.print(f"plot in {svg}", highlight=False)
    write_json(json_path, _report(model.name, board, planned, peers))


def _front(graph: Graph, mode: InputMode, kernels: KernelSet) -> list[Planned]:
    """Planned points of which none has less memory and fewer MACs, from the least memory up."""
    planned: list[Planned] = []
    with searching(f"{graph.name}, {mode.value}") as progress:
        search, points = search_front(start_search(graph, mode, kernels), progress)
        chosen, least = _apart(points, search.macs), min((p.cost for p in points), default=0)
        for done, point in enumerate(chosen):
            planned.append(_planned(search, point, least, mode))
            progress("plans", done + 1, len(chosen))
    front: list[Planned] = []
    for p in sorted(planned, key=lambda p: (p.point.bytes, p.point.macs)):
        if not front or p.point.macs < front[-1].point.macs:
            front.append(p)
    return front


def _apart(points: Sequence[Point], model_macs: int) -> list[Point]:
    """Of points from the least memory up; always with the last, which computes nothing again."""
    chosen = list(points[:1])
    for p in points[1:]:
        grown, saved = p.bytes / chosen[-1].bytes - 1, (chosen[-1].macs - p.macs) / max(1, model_macs)
        if grown + saved >= APART or p is points[-1]:
            chosen.append(p)
    return chosen


def _planned(search: Search, point: Point, least_cost: int, mode: InputMode) -> Planned:
    schedule = schedule_of(search.space, point)
    plan = plan_memory(schedule, time_limit_s=PLAN_LIMIT_S)
    macs = macs_executed(schedule)
    front_point = FrontPoint(plan.arena_bytes, macs, macs / search.macs if search.macs else 1.0, mode)
    return Planned(front_point, plan.scratch_bytes, point.cost / max(1, least_cost), len(schedule.stages))


def _show(name: str, board: Board, planned: dict[InputMode, list[Planned]], peers: Sequence[PeerPoint]) -> None:
    table = Table(title=f"{name}: memory against work", title_justify="left")
    for column in ("input", "SRAM B", "MACs x", "instructions x", "stages", f"in one memory of {board.name}"):
        table.add_column(column, justify="left" if column == "input" else "right")
    for mode, front in planned.items():
        for p in front:
            fits = "yes" if any(p.point.bytes <= m.limit_bytes for m in board.memories) else "no"
            factor = ceil(1000 * p.point.factor - 1e-6) / 1000  # as --max-macs has to be to find it again
            numbers = f"{p.point.bytes:,}", f"{factor:.3f}", f"{p.instructions:.3f}", f"{p.stages}", fits
            table.add_row(mode.value, *numbers, end_section=p is front[-1])
    console.print(table)
    if peers:
        console.print(_others(peers))
    console.print(
        "SRAM: arena with the scratch of lean kernels, as placed in one memory; stack and variables come to it. MACs "
        "as multiples of the model's; instructions, estimated, of the fewest in the mode.",
        highlight=False,
    )


def _others(peers: Sequence[PeerPoint]) -> Table:
    table = Table(title="other engines", title_justify="left")
    for column in ("engine", "RAM B", "MACs x", "image"):
        table.add_column(column, justify="left" if column == "engine" else "right")
    for p in sorted(peers, key=lambda p: (p.who, p.nbytes)):
        factor = "unknown" if p.factor is None else f"{p.factor:.3f}"
        table.add_row(p.who, f"{p.nbytes:,}", factor, "counted" if p.image else "elsewhere")
    return table


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
                "arena_bytes": p.point.bytes,
                "scratch_bytes": p.scratch_bytes,
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
