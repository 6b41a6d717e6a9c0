"""How often the bytes of each buffer are accessed in one inference: estimated, to choose a memory for it."""

from __future__ import annotations

from collections.abc import Sequence

from tessera.ir.attrs import DepthwiseConv2D
from tessera.ir.graph import Graph, Op, TensorId
from tessera.kernels.scratch import scratch_bytes
from tessera.memory.buffers import is_reduction
from tessera.memory.plan import Buffer, Role
from tessera.schedule.check import computed_pixels
from tessera.schedule.cost import op_macs_executed
from tessera.schedule.schedule import MapPlan, Schedule, Stage


def byte_accesses(schedule: Schedule, buffers: Sequence[Buffer]) -> tuple[int, ...]:
    """Bytes read and written of each buffer. A kernel reads a byte for each multiplication: of its scratch, where it
    brings the map there first, else of its map. Rows of a map that lie partly in its window and partly in its lines are
    read as often here as there."""
    graph, counts = schedule.graph, _Counts(buffers)
    for number, stage in enumerate(schedule.stages):
        plans = {m.tensor: m for m in stage.maps}
        for m in stage.maps:
            counts.add_upkeep(number, m, _computed_bytes(schedule, stage, m), graph.tensor(m.tensor).nbytes)
        for op in (graph.ops[i] for i in stage.ops):
            products = op_macs_executed(schedule, number, op)
            if scratch_bytes(graph, op, schedule.kernels, streamed=not stage.is_layer):
                counts.add(graph.ops[stage.ops[0]].outputs[0], Role.SCRATCH, number, products)
                products //= _shared_by(graph, op)
            written = sum(
                _computed_bytes(schedule, stage, plans[t]) if t in plans else graph.tensor(t).nbytes for t in op.outputs
            )
            for t in op.outputs if stage.is_layer else ():
                counts.add(t, Role.WHOLE, -1, graph.tensor(t).nbytes)
            for t in (t for t in dict.fromkeys(op.inputs) if not graph.tensor(t).is_constant):
                read = max(products, graph.tensor(t).nbytes) if t == op.inputs[0] else 0
                counts.add_reads(number, plans.get(t), t, max(read, written))
    return tuple(counts.counts)


def _shared_by(graph: Graph, op: Op) -> int:
    """Products that one byte of the map is brought to the scratch for: one for each output channel, or of a depthwise
    convolution one for each weight of its channel."""
    if isinstance(op.attrs, DepthwiseConv2D):
        _, height, width, _ = graph.tensor(op.inputs[1]).shape
        return height * width
    return graph.tensor(op.outputs[0]).shape[-1]


class _Counts:
    def __init__(self, buffers: Sequence[Buffer]) -> None:
        self.counts = [0] * len(buffers)
        self._index = {(t, b.role, b.stage): i for i, b in enumerate(buffers) for t in b.tensors}

    def add(self, tensor: TensorId, role: Role, stage: int, nbytes: int) -> None:
        self.counts[self._index[tensor, role, stage]] += nbytes

    def add_reads(self, number: int, part: MapPlan | None, tensor: TensorId, nbytes: int) -> None:
        """By an operator of stage `number`, which makes only `part` of the map or reads it whole."""
        if (tensor, Role.WHOLE, -1) in self._index:
            self.add(tensor, Role.WHOLE, -1, nbytes)
            return
        assert part is not None
        in_window = nbytes * part.rows.size // (part.rows.size + part.lines) if part.windowed else 0
        if part.windowed:
            self.add(tensor, Role.WINDOW, number, in_window)
        if part.lines:
            self.add(tensor, Role.LINES, number, nbytes - in_window)

    def add_upkeep(self, number: int, part: MapPlan, computed_bytes: int, nbytes: int) -> None:
        """What the stage writes of a map, and copies from its window to its lines and its left columns, and back."""
        if (part.tensor, Role.WHOLE, -1) in self._index:
            self.add(part.tensor, Role.WHOLE, -1, computed_bytes)
            return
        if part.windowed:
            self.add(part.tensor, Role.WINDOW, number, computed_bytes)
        if part.lines:
            self.add(part.tensor, Role.LINES, number, nbytes if part.windowed else computed_bytes)
        if part.left:
            copied = 2 * computed_bytes * part.left // part.cols.size
            self.add(part.tensor, Role.WINDOW, number, copied)
            self.add(part.tensor, Role.LEFT, number, copied)


def _computed_bytes(schedule: Schedule, stage: Stage, part: MapPlan) -> int:
    """Of a map; of a reduction, its sums once for each pixel of its input."""
    graph = schedule.graph
    op = next((graph.ops[i] for i in stage.ops if part.tensor in graph.ops[i].outputs), None)
    tensor = op.inputs[0] if op is not None and is_reduction(graph, op) else part.tensor
    _, height, width, channels = graph.tensor(tensor).shape
    return channels * computed_pixels(stage, part, height, width)
