"""plan.json: what the generated C does, for programs. Keys of the `plan` task where they are known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tessera.codegen.document import Document
from tessera.ir.graph import Graph, TensorId
from tessera.kernels.call import Step
from tessera.memory.plan import MemoryPlan
from tessera.schedule.cost import macs
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep


def plan_json(
    schedule: Schedule,
    plan: MemoryPlan,
    kernels: Sequence[Step],
    document: Document,
    model_hash: str,
    board_name: str | None,
) -> dict[str, Any]:
    graph = schedule.graph
    return {
        "model": document.name,
        "hash": model_hash,
        "source_sha256": graph.source_sha256,
        "board": board_name,
        "schedule": "streamed" if document.stages else "layerwise",
        "input": schedule.input_mode.value,
        "arena_bytes": plan.arena_bytes,
        "scratch_bytes": plan.scratch_bytes,
        "input_frame_bytes": _frame_bytes(schedule),
        "peak_sram_bytes": plan.arena_bytes,
        "lower_bound_bytes": plan.lower_bound_bytes,
        "optimal": plan.optimal,
        "macs": macs(graph),
        "macs_executed": document.macs,
        "weights_bytes": sum(graph.tensor(t).nbytes for t in _constants(graph)),
        "memories": [{"name": m.name, "bytes": m.nbytes} for m in document.memories],
        "stages": [_stage(graph, stage) for stage in schedule.stages if not stage.is_layer],
        "steps": [
            {
                "step": step.index,
                "operator": kernel.op,
                "kind": kernel.kind,
                "kernel": kernel.symbol,
                "identifier": step.identifier,
                "tensor": graph.tensor(kernel.output).name,
                "inputs": [graph.tensor(t).name for t in kernel.inputs],
                "bytes": step.nbytes,
                "macs": kernel.macs,
                "scratch_bytes": kernel.scratch_bytes,
            }
            for step, kernel in zip(document.steps, kernels, strict=True)
        ],
        "buffers": [
            {
                "name": b.name,
                "tensors": [graph.tensor(t).name for t in b.tensors],
                "role": b.role.value,
                "memory": place.memory,
                "offset": place.offset,
                "bytes": b.nbytes,
                "live": [b.start, b.end],
            }
            for b, place in zip(plan.buffers, plan.places, strict=True)
        ],
    }


def _stage(graph: Graph, stage: Stage) -> dict[str, Any]:
    return {
        "operators": [graph.ops[i].name for i in stage.ops],
        "row_ticks": stage.row_ticks,
        "col_ticks": stage.col_ticks,
        "maps": [_map(graph, plan) for plan in stage.maps],
    }


def _map(graph: Graph, plan: MapPlan) -> dict[str, Any]:
    return {
        "tensor": graph.tensor(plan.tensor).name,
        "rows": _sweep(plan.rows),
        "cols": _sweep(plan.cols),
        "lines": plan.lines,
        "windowed": plan.windowed,
        "left": plan.left,
    }


def _sweep(s: Sweep) -> dict[str, int]:
    return {"period": s.period, "phase": s.phase, "step": s.step, "begin": s.begin, "size": s.size}


def _frame_bytes(schedule: Schedule) -> int:
    """Of a frame that must exist outside the arena, because any part of it may be pulled again."""
    if schedule.input_mode is not InputMode.REREAD:
        return 0
    pulled = {m.tensor for stage in schedule.stages for m in stage.maps}
    return sum(schedule.graph.tensor(t).nbytes for t in schedule.graph.inputs if t in pulled)


def _constants(graph: Graph) -> list[TensorId]:
    return list(dict.fromkeys(t for op in graph.ops for t in op.inputs if graph.tensor(t).is_constant))
