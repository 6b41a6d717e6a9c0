"""MemoryPlan: where each buffer lives in the arena.

Time is the index of a stage, extended by one at either end: inputs are born at time 0 together with stage 0, outputs
die after the last stage. Every interval, in time and in bytes, is half-open.
"""

from __future__ import annotations

from dataclasses import dataclass

from tessera.ir.graph import TensorId


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes needed during stages [start, end). `tensors` are the views that share it; the first is the one written."""

    name: str
    tensors: tuple[TensorId, ...]
    nbytes: int
    start: int
    end: int

    def lives_with(self, other: Buffer) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class SafeOverlap:
    """During `stage`, in which `source` dies and `target` is born, target may start as low as `lead` bytes below
    source's start: offset(target) + lead <= offset(source) is as safe as being disjoint."""

    stage: int
    target: int  # index into MemoryPlan.buffers
    source: int
    lead: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Offsets of `buffers`, one each, multiples of `alignment`; scratch lies behind the arena."""

    buffers: tuple[Buffer, ...]
    overlaps: tuple[SafeOverlap, ...]
    offsets: tuple[int, ...]
    arena_bytes: int
    scratch_bytes: int
    lower_bound_bytes: int
    optimal: bool  # arena_bytes is proven least for this schedule
    alignment: int = 4

    def offset_of(self, tensor: TensorId) -> int:
        for buffer, offset in zip(self.buffers, self.offsets, strict=True):
            if tensor in buffer.tensors:
                return offset
        raise KeyError(tensor)
