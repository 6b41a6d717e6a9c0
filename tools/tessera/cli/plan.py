"""`plan`: schedule and memory plan of a model on a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from tessera.board import Board, load_board
from tessera.cli.choices import Choices, compile_for
from tessera.cli.command import console, searching, write_file, write_json
from tessera.cli.inspect import folding_report, folding_sentence, kind, weights_bytes
from tessera.cli.memory import input_sentence, macs_sentence, memory_report, modes_sentence
from tessera.errors import DoesNotFit
from tessera.firmware.code_size import code_bytes
from tessera.ir.graph import TensorId
from tessera.memory.fit import check_fit, excess_bytes
from tessera.memory.plan import MemoryPlan
from tessera.models import find_model
from tessera.pipeline import Compiled, find_modes, generate
from tessera.report.memory_svg import memory_svg
from tessera.schedule.cost import op_macs_executed
from tessera.schedule.find import Found


def plan_model(model: str, board_name: str, choices: Choices, svg: str, json_path: str) -> None:
    board = load_board(board_name)
    compiled = compile_for(find_model(model), board, choices)
    report = plan_report(compiled, board)
    _show(compiled, report)
    if svg:
        write_file(Path(svg), memory_svg(compiled.schedule, compiled.plan, f"{compiled.model.name} on {board.name}"))
        console.print(f"memory map in {svg}", highlight=False)
    write_json(json_path, report)
    check_memory(compiled, board)
    if not report["weights_fit_flash"]:
        console.print(f"[yellow]note[/]    {_too_many_weights(compiled, board)}", highlight=False)


def check_flash(compiled: Compiled, board: Board) -> None:
    """Raises DoesNotFit where flash cannot hold the weights; what code adds, the linker checks."""
    if weights_bytes(compiled.graph) > board.flash_bytes:
        raise DoesNotFit(_too_many_weights(compiled, board))


def _too_many_weights(compiled: Compiled, board: Board) -> str:
    weights = weights_bytes(compiled.graph)
    return (
        f"{compiled.model.name} does not fit on {board.name}: its weights take {weights:,} B, "
        f"{weights - board.flash_bytes:,} B more than the {board.flash_bytes:,} B of flash; take a board with more "
        f"flash, or a narrower model"
    )


def check_memory(compiled: Compiled, board: Board) -> None:
    """Raises DoesNotFit where SRAM, or as much of it as was asked for, cannot hold the model."""
    asked, found = compiled.options.sram_bytes, compiled.found
    limit = board.arena_limit_bytes if compiled.limit_bytes is None else compiled.limit_bytes
    where = board.name if asked is None else f"{board.name} in {asked:,} B of SRAM"
    check_fit(
        compiled.plan,
        compiled.schedule,
        limit,
        where,
        memories=board.memories,
        least=None if found.fits else (found.needed_bytes, found.factor),
        options=compiled.options,
    )


def plan_report(compiled: Compiled, board: Board) -> dict[str, Any]:
    with searching(f"other ways to hand over the image of {compiled.model.name}") as progress:
        modes = find_modes(compiled, progress=progress)
    return {
        **memory_report(compiled, board),
        "modes": {mode.value: _mode_row(found, compiled) for mode, found in modes.items()},
        "folded": folding_report(compiled),
        "weights_fit_flash": weights_bytes(compiled.graph) <= board.flash_bytes,
        "code_bytes": code_bytes(generate(compiled, board.name), board),
    }


def _mode_row(found: Found, compiled: Compiled) -> dict[str, Any]:
    limit = compiled.limit_bytes
    return {
        "arena_bytes": found.plan.arena_bytes,
        "scratch_bytes": found.plan.scratch_bytes,
        "macs_factor": found.factor,
        "fits": limit is None or excess_bytes(found.plan, limit, compiled.memories or ()) == 0,
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
        f"{_search_sentence(compiled)}"
        f"scratch {report['scratch_bytes']:,} B of the arena, while {report['kernel_set']} kernels run\n"
        f"{folding_sentence(report['folded'], 'folded  ')}"
        f"flash   weights {report['weights_bytes']:,} B, code {report['code_bytes']:,} B\n"
        f"{macs_sentence(report)}",
        highlight=False,
    )


def _search_sentence(compiled: Compiled) -> str:
    """What was found below the answer, where the least memory was asked for."""
    found = compiled.found
    if compiled.options.max_macs is None or compiled.options.sram_bytes is not None:
        return ""
    if found.lower_factor is None:
        return "search  none of the schedules looked at for this limit has a worst stage that needs less\n"
    return (
        f"search  of the schedules found whose stages need less, none executes fewer than {found.lower_factor:.3f} x\n"
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
