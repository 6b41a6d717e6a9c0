"""`build`: model -> C -> firmware, for the chip and for the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from tessera.board import Board, load_board
from tessera.cli.choices import Choices, compile_for
from tessera.cli.command import console, errors, write_json
from tessera.cli.memory import check_sram, memory_report, sram_report
from tessera.cli.plan import check_flash, check_memory
from tessera.firmware.build import Firmware, build_firmware
from tessera.models import find_model
from tessera.pipeline import GENERATED, Compiled, generate, write_sources


def build_model(model: str, board_name: str, choices: Choices, json_path: str) -> None:
    board = load_board(board_name)
    compiled = compile_for(find_model(model), board, choices)
    images = {
        name: firmware(compiled, board, simulated=simulated)
        for name, simulated in ((board.env, board.is_simulator), (board.sim_env, True))
    }
    reports = {
        name: {**memory_report(compiled, board), **firmware_report(compiled, board, image)}
        for name, image in images.items()
    }
    _show(reports)
    write_json(json_path, {"model": compiled.model.name, "board": board.name, "images": reports})


def firmware(compiled: Compiled, board: Board, *, simulated: bool) -> Firmware:
    """Generates the model's C and builds the application `infer` around it."""
    return build_image(compiled, board, GENERATED / board.name, "infer", {}, simulated=simulated)


def build_image(
    compiled: Compiled, board: Board, folder: Path, app: str, more: Mapping[str, str], *, simulated: bool
) -> Firmware:
    """The application with the model and `more` generated files; raises DoesNotFit where it exceeds a limit."""
    check_flash(compiled, board)
    check_memory(compiled, board)
    with errors.status(f"building {compiled.model.name} for {board.name}"):
        write_sources(generate(compiled, board.name), folder / compiled.model.name, more)
        image = build_firmware(board, folder / compiled.model.name, app=app, simulated=simulated)
    check_sram(compiled, board, image)
    return image


def firmware_report(compiled: Compiled, board: Board, image: Firmware) -> dict[str, Any]:
    return {
        "elf": str(image.elf),
        "flash_bytes": image.flash_bytes,
        "code_bytes": image.sizes.code_bytes,
        "static_ram_bytes": image.static_ram_bytes,
        **sram_report(compiled, board, image),
    }


def _show(reports: dict[str, dict[str, Any]]) -> None:
    table = Table(title="firmware images", title_justify="left")
    for name in ("image", "flash B", "of it code B", "static RAM B", "arena B", "SRAM B", "file"):
        table.add_column(name, justify="left" if name in ("image", "file") else "right", overflow="fold")
    for name, report in reports.items():
        numbers = [
            f"{report[k]:,}"
            for k in ("flash_bytes", "code_bytes", "static_ram_bytes", "arena_bytes", "sram_total_bytes")
        ]
        table.add_row(name, *numbers, report["elf"])
    console.print(table)
