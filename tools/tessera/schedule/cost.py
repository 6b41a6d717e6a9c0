"""What a schedule costs, read from the graph: multiply-accumulates and bytes alive at each stage."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.ir.attrs import Conv2D, DepthwiseConv2D, FullyConnected
from tessera.ir.graph import Graph, Op, TensorId
from tessera.schedule.schedule import Schedule
from tessera.schedule.views import view_roots


@dataclass(frozen=True, slots=True)
class StageMemory:
    """What exists while a stage runs: its inputs, its outputs and what later stages wait for."""

    stage: int
    ops: tuple[str, ...]
    live: tuple[tuple[str, int], ...]  # (tensor, bytes), largest first; views not counted again

    @property
    def live_bytes(self) -> int:
        """Their sum; where an output overlaps a dying input, the stage needs less."""
        return sum(nbytes for _, nbytes in self.live)


def op_macs(graph: Graph, op: Op) -> int:
    """Multiply-accumulates of an operator as usually counted: padding included, elementwise operators 0."""
    match op.attrs:
        case Conv2D() | FullyConnected():
            weights, out = graph.tensor(op.inputs[1]), graph.tensor(op.outputs[0])
            return out.size * (weights.size // weights.shape[0])
        case DepthwiseConv2D():
            _, height, width, _ = graph.tensor(op.inputs[1]).shape
            return graph.tensor(op.outputs[0]).size * height * width
        case _:
            return 0


def macs(graph: Graph) -> int:
    return sum(op_macs(graph, op) for op in graph.ops)


def macs_executed(schedule: Schedule) -> int:
    """More than `macs` where a schedule computes rows again; layer by layer never does."""
    assert not any(stage.maps for stage in schedule.stages), "rows computed again are not counted yet"
    return sum(op_macs(schedule.graph, schedule.graph.ops[i]) for stage in schedule.stages for i in stage.ops)


def stage_memory(schedule: Schedule) -> tuple[StageMemory, ...]:
    """The table of bytes alive, stage by stage."""
    graph, roots = schedule.graph, view_roots(schedule.graph)
    last: dict[TensorId, int] = {}
    for number, stage in enumerate(schedule.stages):
        for i in stage.ops:
            last |= {roots[t]: number for t in (*graph.ops[i].inputs, *graph.ops[i].outputs)}
    last |= {roots[t]: len(schedule.stages) for t in graph.outputs}
    alive: dict[TensorId, None] = dict.fromkeys(graph.inputs)
    table: list[StageMemory] = []
    for number, stage in enumerate(schedule.stages):
        ops = [graph.ops[i] for i in stage.ops]
        alive |= dict.fromkeys(t for op in ops for t in op.outputs)
        live = sorted(((graph.tensor(t).name, graph.tensor(t).nbytes) for t in alive), key=lambda x: -x[1])
        table.append(StageMemory(number, tuple(op.name for op in ops), tuple(live)))
        alive = {t: None for t in alive if last.get(t, -1) > number}
    return tuple(table)


def peak_stage(schedule: Schedule) -> StageMemory | None:
    """The first stage with the most bytes alive; None when nothing runs."""
    return max(stage_memory(schedule), key=lambda s: s.live_bytes, default=None)
