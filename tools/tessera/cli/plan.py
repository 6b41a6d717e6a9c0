"""`plan`: schedule and memory plan of a model on a board."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from tessera.board import Board, load_board
from tessera.cli.command import console, kilo, write_file, write_json
from tessera.cli.inspect import kind, weights_bytes
from tessera.errors import BadInput, DoesNotFit
from tessera.firmware.code_size import code_bytes
from tessera.memory.fit import check_fit
from tessera.models import find_model
from tessera.pipeline import Compiled, Edges, compile_model, generate
from tessera.report.memory_svg import memory_svg
from tessera.schedule.cost import macs, macs_executed, op_macs


def plan_model(model: str, board_name: str, edges: str, svg: str, json_path: str) -> None:
    board = load_board(board_name)
    compiled = compile_model(find_model(model), edges=parse_edges(edges))
    report = plan_report(compiled, board)
    _show(compiled, report)
    if svg:
        write_file(Path(svg), memory_svg(compiled.schedule, compiled.plan, f"{compiled.model.name} on {board.name}"))
        console.print(f"memory map in {svg}", highlight=False)
    write_json(json_path, report)
    fit(compiled, board)


def parse_edges(text: str) -> Edges:
    try:
        return Edges(text)
    except ValueError:
        raise BadInput(f"--edges {text}: must be int8 or float") from None


def fit(compiled: Compiled, board: Board) -> None:
    """Raises DoesNotFit where SRAM or flash cannot hold the model; what code adds, the linker checks."""
    weights = weights_bytes(compiled.graph)
    if weights > board.flash_bytes:
        raise DoesNotFit(
            f"{compiled.model.name} does not fit on {board.name}: its weights take {weights:,} B, "
            f"{weights - board.flash_bytes:,} B more than the {board.flash_bytes:,} B of flash; take a board with more "
            f"flash, or a narrower model"
        )
    check_fit(compiled.plan, compiled.schedule, board.arena_limit_bytes, board.name)


def memory_report(compiled: Compiled, board: Board) -> dict[str, Any]:
    """What the plan costs; the input frame is a buffer of the arena, so that its bytes are used again after it."""
    plan, graph = compiled.plan, compiled.graph
    return {
        "model": compiled.model.name,
        "board": board.name,
        "schedule": "layerwise",
        "input": compiled.schedule.input_mode.value,
        "arena_bytes": plan.arena_bytes,
        "scratch_bytes": plan.scratch_bytes,
        "input_frame_bytes": 0,
        "input_frame_in_arena_bytes": sum(graph.tensor(i).nbytes for i in graph.inputs),
        "peak_sram_bytes": plan.arena_bytes + plan.scratch_bytes,
        "lower_bound_bytes": plan.lower_bound_bytes,
        "optimal": plan.optimal,
        "macs": macs(graph),
        "macs_executed": macs_executed(compiled.schedule),
        "weights_bytes": weights_bytes(graph),
    }


def plan_report(compiled: Compiled, board: Board) -> dict[str, Any]:
    return {**memory_report(compiled, board), "code_bytes": code_bytes(generate(compiled, board.name), board)}


def _show(compiled: Compiled, report: dict[str, Any]) -> None:
    graph, plan = compiled.graph, compiled.plan
    table = Table(title=f"{report['model']} on {report['board']}, {report['schedule']}", title_justify="left")
    for name in ("step", "operator", "name", "bytes", "at", "MACs"):
        table.add_column(name, justify="left" if name in ("operator", "name") else "right", overflow="fold")
    ops = [graph.ops[i] for stage in compiled.schedule.stages for i in stage.ops]
    for step, op in enumerate(ops):
        for out in op.outputs:
            tensor = graph.tensor(out)
            at, macs = f"{plan.offset_of(out):,}", f"{op_macs(graph, op):,}"
            table.add_row(str(step), kind(op), op.name, f"{tensor.nbytes:,}", at, macs)
    console.print(table)
    proof = "proven least for this schedule" if report["optimal"] else "not proven least"
    console.print(
        f"arena   {report['arena_bytes']:,} B ({proof}; lower bound {report['lower_bound_bytes']:,} B), "
        f"input frame of {report['input_frame_in_arena_bytes']:,} B inside it\n"
        f"scratch {report['scratch_bytes']:,} B\n"
        f"flash   weights {report['weights_bytes']:,} B, code {report['code_bytes']:,} B\n"
        f"MACs    {kilo(report['macs'])}",
        highlight=False,
    )
