"""`build`: model -> C -> firmware, for the chip and for the simulator."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from tessera.board import Board, load_board
from tessera.cli.command import console, errors, write_json
from tessera.cli.plan import fit, memory_report, parse_edges
from tessera.firmware.build import Firmware, build_firmware
from tessera.models import find_model
from tessera.pipeline import GENERATED, Compiled, compile_model, generate, write_sources


def build_model(model: str, board_name: str, edges: str, json_path: str) -> None:
    board = load_board(board_name)
    compiled = compile_model(find_model(model), edges=parse_edges(edges))
    images = {
        name: firmware(compiled, board, simulated=simulated)
        for name, simulated in ((board.env, board.is_simulator), (board.sim_env, True))
    }
    reports = {name: {**memory_report(compiled, board), **firmware_report(image)} for name, image in images.items()}
    _show(reports)
    write_json(json_path, {"model": compiled.model.name, "board": board.name, "images": reports})


def firmware(compiled: Compiled, board: Board, *, simulated: bool, app: str = "infer") -> Firmware:
    """Generates the model's C and builds the application around it."""
    fit(compiled, board)
    folder = GENERATED / board.name / compiled.model.name
    with errors.status(f"building {compiled.model.name} for {board.name}"):
        write_sources(generate(compiled, board.name), folder)
        return build_firmware(board, folder, app=app, simulated=simulated)


def firmware_report(image: Firmware) -> dict[str, Any]:
    return {
        "elf": str(image.elf),
        "flash_bytes": image.flash_bytes,
        "code_bytes": image.sizes.code_bytes,
        "static_ram_bytes": image.static_ram_bytes,
    }


def _show(reports: dict[str, dict[str, Any]]) -> None:
    table = Table(title="firmware images", title_justify="left")
    for name in ("image", "flash B", "of it code B", "static RAM B", "arena B", "file"):
        table.add_column(name, justify="left" if name in ("image", "file") else "right", overflow="fold")
    for name, report in reports.items():
        numbers = [f"{report[k]:,}" for k in ("flash_bytes", "code_bytes", "static_ram_bytes", "arena_bytes")]
        table.add_row(name, *numbers, report["elf"])
    console.print(table)
