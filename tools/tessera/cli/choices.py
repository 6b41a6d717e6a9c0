"""What the tasks that compile a model let the user choose, from the command line's texts."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.board import Board
from tessera.cli.command import searching
from tessera.errors import BadInput
from tessera.models import ModelFile
from tessera.pipeline import Compiled, Edges, compile_model
from tessera.schedule.options import ScheduleOptions, parse_options


@dataclass(frozen=True, slots=True)
class Choices:
    edges: Edges
    options: ScheduleOptions


def parse_choices(edges: str = "int8", input_mode: str = "resident", sram: str = "", max_macs: str = "") -> Choices:
    try:
        parsed = Edges(edges)
    except ValueError:
        raise BadInput(f"--edges {edges}: must be int8 or float") from None
    return Choices(parsed, parse_options(input_mode, sram, max_macs))


DEFAULT = parse_choices()


def compile_for(model: ModelFile, board: Board, choices: Choices, application_bytes: int = 0) -> Compiled:
    with searching(f"scheduling {model.name} for {board.name}") as progress:
        return compile_model(
            model,
            board,
            edges=choices.edges,
            options=choices.options,
            application_bytes=application_bytes,
            progress=progress,
        )
