"""What a compiled model costs, in the words of every report: memory by its parts, MACs, stages, pulled input."""

from __future__ import annotations

from typing import Any

from tessera.board import GUARD_BYTES, Board
from tessera.cli.inspect import weights_bytes
from tessera.errors import DoesNotFit
from tessera.firmware.build import Firmware
from tessera.ir.graph import TensorId
from tessera.kernels.isa import Isa, KernelSet
from tessera.memory.planner import step_bytes
from tessera.pipeline import Compiled
from tessera.schedule.cost import input_bytes_pulled, macs_executed, op_macs, op_macs_executed
from tessera.schedule.schedule import InputMode, Stage
from tessera.schedule.slots import stage_slots


def memory_report(compiled: Compiled, board: Board) -> dict[str, Any]:
    """What the plan says; a resident input frame is a buffer of the arena, whose bytes are used again after it."""
    plan, graph, schedule = compiled.plan, compiled.graph, compiled.schedule
    pulled = pulled_inputs(compiled)
    once, executed = compiled.found.model_macs, macs_executed(schedule)
    frame = sum(graph.tensor(t).nbytes for t in pulled)
    return {
        "model": compiled.model.name,
        "board": board.name,
        "schedule": "layerwise" if all(s.is_layer for s in schedule.stages) else "streamed",
        "input": compiled.options.input_mode.value,
        "arena_bytes": plan.arena_bytes,
        "scratch_bytes": plan.scratch_bytes,
        "kernel_set": kernel_set(schedule.kernels),
        "input_frame_bytes": frame if schedule.input_mode is InputMode.REREAD else 0,
        "input_frame_in_arena_bytes": sum(graph.tensor(t).nbytes for t in graph.inputs if t not in pulled),
        "input_modes": {
            graph.tensor(t).name: (schedule.input_mode if t in pulled else InputMode.RESIDENT).value
            for t in graph.inputs
        },
        "input_bytes_pulled": input_bytes_pulled(schedule),
        "input_pulls_per_byte": input_bytes_pulled(schedule) / frame if frame else 0.0,
        "peak_sram_bytes": plan.arena_bytes,
        "memories": [{"name": m.name, "bytes": m.bytes} for m in plan.memories],
        "lower_bound_bytes": plan.lower_bound_bytes,
        "optimal": plan.optimal,
        "macs": once,
        "macs_executed": executed,
        "macs_factor": executed / once if once else 1.0,
        "stages": stage_rows(compiled),
        "weights_bytes": weights_bytes(graph),
    }


def kernel_set(kernels: KernelSet) -> str:
    """For reports: fast or lean, of a board with an instruction set of its own."""
    if kernels.isa is not Isa.PORTABLE:
        return "fast" if kernels.fast else "lean"
    return "portable"


def pulled_inputs(compiled: Compiled) -> tuple[TensorId, ...]:
    planned = {m.tensor for stage in compiled.schedule.stages for m in stage.maps}
    return tuple(t for t in compiled.graph.inputs if t in planned)


def stage_rows(compiled: Compiled) -> list[dict[str, Any]]:
    """One for each stage: a layer, or operators that advance together."""
    schedule, graph, plan = compiled.schedule, compiled.graph, compiled.plan
    pressure = step_bytes(plan.buffers, plan.overlaps)
    rows: list[dict[str, Any]] = []
    for number, (stage, (begin, end)) in enumerate(zip(schedule.stages, stage_slots(schedule), strict=True)):
        ops = [graph.ops[i] for i in stage.ops]
        once = sum(op_macs(graph, op) for op in ops)
        executed = sum(op_macs_executed(schedule, number, op) for op in ops)
        tile_rows, tile_columns = _tile(stage)
        rows.append(
            {
                "stage": number,
                "first": ops[0].name,
                "last": ops[-1].name,
                "operators": len(ops),
                "streamed": not stage.is_layer,
                "rows": tile_rows,
                "columns": tile_columns,
                "macs": once,
                "macs_executed": executed,
                "bytes": max(pressure[begin:end], default=0),
            }
        )
    return rows


def _tile(stage: Stage) -> tuple[int | None, int | None]:
    """Rows and columns that the stage's last map advances by at a time; None: all of a layer."""
    if stage.is_layer:
        return None, None
    last = stage.maps[-1]
    return last.rows.step, last.cols.step


def sram_report(compiled: Compiled, board: Board, image: Firmware) -> dict[str, Any]:
    """All of SRAM that the linked firmware takes; the stack's part is what is reserved for it."""
    limit = compiled.options.sram_bytes
    total = sram_total_bytes(board, image)
    return {
        "stack_reserved_bytes": board.stack_bytes + GUARD_BYTES,
        "sram_total_bytes": total,
        "sram_limit_bytes": limit,
        "within_limit": limit is None or total <= limit,
    }


def sram_total_bytes(board: Board, image: Firmware) -> int:
    """Arena, stack with its guard, and the firmware's variables, as linked."""
    return image.sizes.arena_bytes + board.stack_bytes + GUARD_BYTES + image.static_ram_bytes


def check_sram(compiled: Compiled, board: Board, image: Firmware) -> None:
    """Raises DoesNotFit where what was linked exceeds the limit that was asked for."""
    limit, total = compiled.options.sram_bytes, sram_total_bytes(board, image)
    if limit is not None and total > limit:
        raise DoesNotFit(
            f"{compiled.model.name} does not fit in {limit:,} B of SRAM: as linked for {board.name} it takes "
            f"{total:,} B (model {image.sizes.arena_bytes:,} B, stack {board.stack_bytes + GUARD_BYTES:,} B, static "
            f"{image.static_ram_bytes:,} B), {total - limit:,} B more; allow as much with --sram"
        )


def sram_sentence(report: dict[str, Any]) -> str:
    """Of a report with `memory_report`, `sram_report` and what was measured."""
    limit = report["sram_limit_bytes"]
    used = f" ({report['stack_bytes']:,} B used)" if "stack_bytes" in report else ""
    verdict = "" if limit is None else f", {'within' if report['within_limit'] else 'over'} the limit of {limit:,} B"
    return (
        f"SRAM    {report['sram_total_bytes']:,} B: arena {report['arena_bytes']:,} B "
        f"({report['scratch_bytes']:,} B of it scratch of {report['kernel_set']} kernels), "
        f"stack {report['stack_reserved_bytes']:,} B{used}, static {report['static_ram_bytes']:,} B{verdict}"
    )


def input_sentence(report: dict[str, Any]) -> str:
    """How the image comes in, and what that costs."""
    asked = report["input"]
    if asked == InputMode.RESIDENT.value:
        return f"input   resident, {report['input_frame_in_arena_bytes']:,} B inside the arena"
    resident = [name for name, mode in report["input_modes"].items() if mode == InputMode.RESIDENT.value]
    why = "no 8-bit map [1, H, W, C] that a stage reads row by row"
    stays = f"; {', '.join(resident)} stays resident: {why}" if resident else ""
    if not report["input_bytes_pulled"]:
        return f"input   {asked} was asked for{stays}"
    return (
        f"input   {asked}, {report['input_bytes_pulled']:,} B pulled, each byte {report['input_pulls_per_byte']:.2f} "
        f"times{stays}"
    )


def modes_sentence(report: dict[str, Any]) -> str:
    """Arena of every way to take the image."""
    return "modes   " + ", ".join(
        f"{mode} {m['arena_bytes']:,} B"
        + (f" (MACs x {m['macs_factor']:.3f})" if m["macs_factor"] > 1 else "")
        + (
            ""
            if m["fits"]
            else " (does not fit)"
            if m["macs_factor"] > 1
            else " (does not fit, nothing computed again)"
        )
        for mode, m in report["modes"].items()
    )


def macs_sentence(report: dict[str, Any]) -> str:
    again = f", executed {report['macs_executed']:,} (x {report['macs_factor']:.3f})"
    return f"MACs    {report['macs']:,}{again if report['macs_executed'] != report['macs'] else ''}"
