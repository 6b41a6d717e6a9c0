"""The two alignments of a plan: buffers can be read as words; the arena keeps what lies behind it aligned."""

from __future__ import annotations

BUFFER_ALIGNMENT = 4
ARENA_ALIGNMENT = 16


def align_up(n: int, alignment: int = BUFFER_ALIGNMENT) -> int:
    return -(-n // alignment) * alignment
