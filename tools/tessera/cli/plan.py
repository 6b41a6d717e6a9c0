"""`plan`: schedule and memory plan of a model on a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from tessera.board import Board, load_board
from tessera.cli.choices import Choices, compile_for
from tessera.cli.command import console, write_file, write_json
from tessera.cli.inspect import kind, weights_bytes
from tessera.cli.memory import input_sentence, macs_sentence, memory_report, modes_sentence
from tessera.errors import DoesNotFit
from tessera.firmware.code_size import code_bytes
from tessera.ir.graph import TensorId
from tessera.memory.fit import check_fit
from tessera.memory.plan import MemoryPlan
from tessera.models import find_model
from tessera.pipeline import Compiled, find_modes, generate
from tessera.report.memory_svg import memory_svg
from tessera.schedule.cost import op_macs_executed
from tessera.schedule.find import Found
from tessera.schedule.schedule import InputMode


def plan_model(model: str, board_name: str, choices: Choices, svg: str, json_path: str) -> None:
    board = load_board(board_name)
    compiled = compile_for(find_model(model), board, choices)
    report = plan_report(compiled, board)
    _show(compiled, report)
    if svg:
        write_file(Path(svg), memory_svg(compiled.schedule, compiled.plan, f"{compiled.model.name} on {board.name}"))
        console.print(f"memory map in {svg}", highlight=False)
    write_json(json_path, report)
    fit(compiled, board)


def fit(compiled: Compiled, board: Board) -> None:
    """Raises DoesNotFit where SRAM or flash cannot hold the model; what code adds, the linker checks."""
    weights = weights_bytes(compiled.graph)
    if weights > board.flash_bytes:
        raise DoesNotFit(
            f"{compiled.model.name} does not fit on {board.name}: its weights take {weights:,} B, "
            f"{weights - board.flash_bytes:,} B more than the {board.flash_bytes:,} B of flash; take a board with more "
            f"flash, or a narrower model"
        )
    _check_sram_limit(compiled, board)
    check_fit(compiled.plan, compiled.schedule, board.arena_limit_bytes, board.name)


def _check_sram_limit(compiled: Compiled, board: Board) -> None:
    asked, limit, needed = compiled.options.sram_bytes, compiled.limit_bytes, compiled.found.needed_bytes
    if asked is None or limit is None or needed <= limit or limit >= board.arena_limit_bytes:
        return
    work = "" if compiled.options.max_macs is None else f" at up to {compiled.options.max_macs:g} times its MACs"
    raise DoesNotFit(
        f"{compiled.model.name} does not fit in {asked:,} B of SRAM on {board.name}: beside the {asked - limit:,} B of "
        f"stack and firmware it needs {needed:,} B{work}, {needed - limit:,} B more than there are; allow more with "
        f"--sram{'' if compiled.options.input_mode is not InputMode.RESIDENT else ', or pull the image with --input'}"
    )


def plan_report(compiled: Compiled, board: Board) -> dict[str, Any]:
    return {
        **memory_report(compiled, board),
        "modes": {mode.value: _mode_row(found, compiled.limit_bytes) for mode, found in find_modes(compiled).items()},
        "code_bytes": code_bytes(generate(compiled, board.name), board),
    }


def _mode_row(found: Found, limit_bytes: int | None) -> dict[str, Any]:
    return {
        "arena_bytes": found.plan.arena_bytes,
        "scratch_bytes": found.plan.scratch_bytes,
        "macs_factor": found.factor,
        "fits": limit_bytes is None or found.needed_bytes <= limit_bytes,
    }


def _show(compiled: Compiled, report: dict[str, Any]) -> None:
    graph, plan = compiled.graph, compiled.plan
    table = Table(title=f"{report['model']} on {report['board']}, {report['schedule']}", title_justify="left")
    for name in ("step", "operator", "name", "bytes", "at", "MACs"):
        table.add_column(name, justify="left" if name in ("operator", "name") else "right", overflow="fold")
    step = 0
    for number, stage in enumerate(compiled.schedule.stages):
        for op in (graph.ops[i] for i in stage.ops):
            for out in op.outputs:
                at = place_text(plan, out) if stage.is_layer else f"stage {number}"
                executed = f"{op_macs_executed(compiled.schedule, number, op):,}"
                table.add_row(str(step), kind(op), op.name, f"{graph.tensor(out).nbytes:,}", at, executed)
                step += 1
    console.print(table)
    if report["schedule"] == "streamed":
        console.print(_stages(report))
    proof = "proven least for this schedule" if report["optimal"] else "not proven least"
    console.print(
        f"{input_sentence(report)}\n"
        f"{modes_sentence(report)}\n"
        f"arena   {report['arena_bytes']:,} B ({proof}; lower bound {report['lower_bound_bytes']:,} B)\n"
        f"scratch {report['scratch_bytes']:,} B\n"
        f"flash   weights {report['weights_bytes']:,} B, code {report['code_bytes']:,} B\n"
        f"{macs_sentence(report)}",
        highlight=False,
    )


def place_text(plan: MemoryPlan, tensor: TensorId) -> str:
    """The byte where a whole tensor lies, with its memory where there are several."""
    place = plan.place_of(tensor)
    return f"{place.offset:,}" if len(plan.memories) == 1 else f"{plan.memories[place.memory].name} {place.offset:,}"


def _stages(report: dict[str, Any]) -> Table:
    """The streamed ones; a layer has a line of its own above."""
    table = Table(title="streamed stages", title_justify="left")
    for name in ("stage", "from", "to", "operators", "tile", "MACs", "again", "bytes"):
        table.add_column(name, justify="left" if name in ("from", "to") else "right", overflow="fold")
    for row in (row for row in report["stages"] if row["streamed"]):
        tile = f"{row['rows']} x {row['columns']}"
        again = f"x {row['macs_executed'] / row['macs']:.3f}" if row["macs_executed"] != row["macs"] else ""
        numbers = (str(row["operators"]), tile, f"{row['macs_executed']:,}", again, f"{row['bytes']:,}")
        table.add_row(str(row["stage"]), row["first"], row["last"], *numbers)
    return table
