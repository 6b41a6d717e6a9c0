"""What a schedule costs, read from the graph: multiply-accumulates, bytes pulled and bytes alive at each stage."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.ir.attrs import Conv2D, DepthwiseConv2D, FullyConnected
from tessera.ir.graph import Graph, Op
from tessera.memory.buffers import make_buffers
from tessera.memory.plan import Buffer, Role
from tessera.schedule.check import computed_pixels, map_plan
from tessera.schedule.schedule import Schedule
from tessera.schedule.slots import stage_slots


@dataclass(frozen=True, slots=True)
class StageMemory:
    """What exists while a stage runs, at its worst slot: what it reads and makes, and what later stages wait for."""

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
    """More than `macs` where a schedule computes pixels again; layer by layer never does."""
    graph = schedule.graph
    return sum(op_macs_executed(schedule, n, graph.ops[i]) for n, s in enumerate(schedule.stages) for i in s.ops)


def op_macs_executed(schedule: Schedule, stage_number: int, op: Op) -> int:
    """Of an operator in its stage."""
    stage, once = schedule.stages[stage_number], op_macs(schedule.graph, op)
    if stage.is_layer or not once:
        return once
    _, height, width, _ = schedule.graph.tensor(op.outputs[0]).shape
    return once // (height * width) * computed_pixels(stage, map_plan(stage, op.outputs[0]), height, width)


def input_bytes_pulled(schedule: Schedule) -> int:
    """Asked of the application through `input_row` in one inference; 0 where the frame is resident."""
    graph, total = schedule.graph, 0
    produced = graph.producer()
    for stage in schedule.stages:
        for m in stage.maps:
            if m.tensor not in produced:
                _, height, width, channels = graph.tensor(m.tensor).shape
                total += channels * computed_pixels(stage, m, height, width)
    return total


def stage_memory(schedule: Schedule) -> tuple[StageMemory, ...]:
    """The table of bytes alive, stage by stage."""
    graph, buffers = schedule.graph, make_buffers(schedule)
    table: list[StageMemory] = []
    for number, (stage, slots) in enumerate(zip(schedule.stages, stage_slots(schedule), strict=True)):
        worst: list[Buffer] = []
        for time in range(*slots):
            alive = [b for b in buffers if b.start <= time < b.end]
            worst = max(worst, alive, key=lambda live: sum(b.nbytes for b in live))
        live = sorted(((describe(b), b.nbytes) for b in worst), key=lambda x: -x[1])
        table.append(StageMemory(number, tuple(graph.ops[i].name for i in stage.ops), tuple(live)))
    return tuple(table)


def describe(buffer: Buffer) -> str:
    """The tensor, and what of it the buffer holds if not all."""
    return buffer.name if buffer.role is Role.WHOLE else f"{buffer.name} ({buffer.role.value})"


def peak_stage(schedule: Schedule) -> StageMemory | None:
    """The first stage with the most bytes alive; None when nothing runs."""
    return max(stage_memory(schedule), key=lambda s: s.live_bytes, default=None)
