"""Names of buffers in generated C: AT_<tensor>, and with a role where only a part of the tensor exists."""

from __future__ import annotations

from dataclasses import dataclass

from tessera.codegen.ctext import comment_text
from tessera.codegen.names import unique, unique_identifiers
from tessera.ir.graph import Graph, TensorId
from tessera.memory.align import ARENA_ALIGNMENT, align_up
from tessera.memory.plan import Buffer, MemoryPlan, Place, Role

MAX_MEMORIES = 8  # a place is an enumeration constant, whose upper 4 bits name the memory: it must fit in an int


@dataclass(frozen=True, slots=True)
class BufferText:
    constant: str  # AT_...
    place: Place
    nbytes: int
    comment: str


class Places:
    """Finds the constant and the place of what a kernel reads or writes."""

    def __init__(self, graph: Graph, plan: MemoryPlan) -> None:
        assert len(plan.memories) <= MAX_MEMORIES
        self.plan = plan
        written = list(dict.fromkeys(b.tensors[0] for b in plan.buffers))
        names = unique_identifiers(graph.tensor(t).name for t in written)
        self._identifiers = dict(zip(written, names, strict=True))
        self._identifiers |= {t: self._identifiers[b.tensors[0]] for b in plan.buffers for t in b.tensors}
        constants = unique(self._constant(b) for b in plan.buffers)
        self.buffers = tuple(
            BufferText(constant, place, b.nbytes, comment_text(b.name) + _part(b))
            for constant, place, b in zip(constants, plan.places, plan.buffers, strict=True)
        )
        self._found = {
            (t, b.role, b.stage): text for b, text in zip(plan.buffers, self.buffers, strict=True) for t in b.tensors
        }

    def identifier(self, tensor: TensorId) -> str:
        """The same for all views of a buffer."""
        return self._identifiers[tensor]

    def find(self, tensor: TensorId, role: Role = Role.WHOLE, stage: int = -1) -> BufferText | None:
        return self._found.get((tensor, role, stage))

    def at(self, tensor: TensorId, role: Role = Role.WHOLE, stage: int = -1) -> str:
        found = self.find(tensor, role, stage)
        assert found is not None, f"tensor {tensor} has no buffer for {role.value} of stage {stage}"
        return found.constant

    def scratch(self, stage: int) -> str:
        """Of the kernels of a stage, which has some."""
        return next(t.constant for (_, role, owner), t in self._found.items() if (role, owner) == (Role.SCRATCH, stage))

    def text(self, place: Place) -> str:
        """For people: `offset`, or `memory:offset` where there are several."""
        return f"{place.offset}" if len(self.plan.memories) == 1 else f"{place.memory}:{place.offset}"

    def _constant(self, buffer: Buffer) -> str:
        suffix = "" if buffer.role is Role.WHOLE else f"_{buffer.role.value}"
        return f"AT_{self._identifiers[buffer.tensors[0]]}{suffix}".upper()


def memory_bytes(plan: MemoryPlan) -> tuple[int, ...]:
    return tuple(align_up(m.bytes, ARENA_ALIGNMENT) for m in plan.memories)


def _part(buffer: Buffer) -> str:
    return "" if buffer.role is Role.WHOLE else f": {buffer.role.value} of stage {buffer.stage}"
