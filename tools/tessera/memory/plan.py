"""MemoryPlan: where each buffer lives, in which memory.

Time is a slot of the schedule (schedule/slots.py), extended by one at the end: resident inputs are born at time 0,
outputs die after the last slot. Every interval, in time and in bytes, is half-open.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tessera.ir.graph import TensorId


class Role(Enum):
    """What of a tensor a buffer holds."""

    WHOLE = "whole"  # all of it; of a reduction inside a stage also its running sums
    LINES = "lines"  # the rows that its stage keeps: MapPlan.lines
    WINDOW = "window"  # what its stage computes in a tick, behind the columns left from the span before
    LEFT = "left"  # those columns, from one span to the next
    SCRATCH = "scratch"  # nothing of it: what kernels use while they run; named after the first tensor of its stage


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes needed during slots [start, end). `tensors` are the views that share it; the first is the one written.

    Other roles than WHOLE belong to one stage, whose number is `stage`."""

    name: str
    tensors: tuple[TensorId, ...]
    nbytes: int
    start: int
    end: int
    role: Role = Role.WHOLE
    stage: int = -1

    def lives_with(self, other: Buffer) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class SafeOverlap:
    """`source` dies where `target` is born (the same operator, or stage): target may start as low as `lead` bytes below
    source's start: offset(target) + lead <= offset(source) is as safe as being disjoint; or, `in_place`, only
    offset(target) == offset(source) is. Needs the same memory."""

    target: int  # index into MemoryPlan.buffers
    source: int
    lead: int  # 0 in place
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    memory: int  # index into MemoryPlan.memories
    offset: int


@dataclass(frozen=True, slots=True)
class Memory:
    """A region of the board as the model uses it: `bytes` of it, from its start."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The place of each of `buffers`; offsets are multiples of `alignment`."""

    buffers: tuple[Buffer, ...]
    overlaps: tuple[SafeOverlap, ...]
    places: tuple[Place, ...]
    memories: tuple[Memory, ...]
    lower_bound_bytes: int
    optimal: bool  # arena_bytes is proven least for this schedule
    alignment: int = 4

    @property
    def arena_bytes(self) -> int:
        """All memories together, scratch included."""
        return sum(m.bytes for m in self.memories)

    @property
    def scratch_bytes(self) -> int:
        """Of the arena: the most that the kernels of one stage use."""
        return max((b.nbytes for b in self.buffers if b.role is Role.SCRATCH), default=0)

    def place_of(self, tensor: TensorId, role: Role = Role.WHOLE, stage: int = -1) -> Place:
        for buffer, place in zip(self.buffers, self.places, strict=True):
            if tensor in buffer.tensors and buffer.role is role and buffer.stage == stage:
                return place
        raise KeyError(tensor, role, stage)
