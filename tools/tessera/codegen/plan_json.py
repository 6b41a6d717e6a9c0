"""plan.json: what the generated C does, for programs. Keys of the `plan` task where they are known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tessera.codegen.document import Document
from tessera.ir.graph import Graph
from tessera.kernels.call import KernelCall
from tessera.memory.plan import MemoryPlan
from tessera.schedule.cost import macs, macs_executed
from tessera.schedule.schedule import Schedule


def plan_json(
    graph: Graph,
    schedule: Schedule,
    plan: MemoryPlan,
    calls: Sequence[KernelCall],
    document: Document,
    model_hash: str,
    board_name: str | None,
) -> dict[str, Any]:
    return {
        "model": document.name,
        "hash": model_hash,
        "source_sha256": graph.source_sha256,
        "board": board_name,
        "schedule": "layerwise",
        "input": schedule.input_mode.value,
        "arena_bytes": plan.arena_bytes,
        "scratch_bytes": plan.scratch_bytes,
        "input_frame_bytes": 0,
        "peak_sram_bytes": plan.arena_bytes + plan.scratch_bytes,
        "lower_bound_bytes": plan.lower_bound_bytes,
        "optimal": plan.optimal,
        "macs": macs(graph),
        "macs_executed": macs_executed(schedule),
        "weights_bytes": sum(graph.tensor(t).nbytes for t in _constants(graph)),
        "steps": [
            {
                "step": step.index,
                "operator": call.op,
                "kind": call.kind,
                "kernel": call.symbol,
                "identifier": step.identifier,
                "tensor": graph.tensor(call.output).name,
                "inputs": [plan.offset_of(t) for t in call.inputs],
                "offset": step.offset,
                "bytes": step.nbytes,
                "macs": call.macs,
                "scratch_bytes": call.scratch_bytes,
            }
            for step, call in zip(document.steps, calls, strict=True)
        ],
        "buffers": [
            {
                "name": b.name,
                "tensors": [graph.tensor(t).name for t in b.tensors],
                "offset": offset,
                "bytes": b.nbytes,
                "live": [b.start, b.end],
            }
            for b, offset in zip(plan.buffers, plan.offsets, strict=True)
        ],
    }


def _constants(graph: Graph) -> list[Any]:
    return list(dict.fromkeys(t for op in graph.ops for t in op.inputs if graph.tensor(t).is_constant))
