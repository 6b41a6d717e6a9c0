"""Static RAM of the firmware around a model, before it is linked: what an SRAM limit leaves is the model's."""

from __future__ import annotations

SERVER_BYTES = 2048
"""Of server, telemetry, port and C library: .data, .bss and .noinit, as linked, for any board."""
STEP_BYTES = 8
"""Of each step: its count and its check value."""


def static_ram_bound(steps: int, application_bytes: int = 0) -> int:
    """At most this much, for a model of so many steps layer by layer; a schedule may rewrite operators into more."""
    return SERVER_BYTES + STEP_BYTES * (steps * 5 // 4 + 8) + application_bytes
