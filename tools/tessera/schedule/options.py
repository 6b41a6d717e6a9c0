"""What the user asks of a schedule: how the image comes in, and limits of SRAM and of work."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tessera.errors import BadInput
from tessera.schedule.schedule import InputMode

UNITS = {"": 1, "b": 1, "k": 1024, "kib": 1024, "kb": 1000, "m": 1024**2, "mib": 1024**2, "mb": 1000**2}


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """`sram_bytes`: of everything in SRAM together, arena, scratch, stack and the firmware's own variables; None: what
    the board has. `max_macs`: MACs executed, as a multiple of the model's; then the least memory is looked for, not the
    least work. With both: the least work within both."""

    input_mode: InputMode = InputMode.RESIDENT
    sram_bytes: int | None = None
    max_macs: float | None = None


DEFAULT = ScheduleOptions()


def parse_options(input_mode: str = "resident", sram: str = "", max_macs: str = "") -> ScheduleOptions:
    """From the command line; an empty text is an option that was not given."""
    return ScheduleOptions(_input_mode(input_mode), _sram_bytes(sram), _max_macs(max_macs))


def _input_mode(text: str) -> InputMode:
    try:
        return InputMode(text)
    except ValueError:
        raise BadInput(
            f"--input {text}: must be resident (the whole image lies in SRAM), streamed (its rows come once, in order) "
            f"or reread (parts of it may be asked for again); an image or array for `run` is given with --image"
        ) from None


def _sram_bytes(text: str) -> int | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    unit = UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise BadInput(
            f"--sram {text}: must be a number of bytes, of k (1,024 bytes), M (1,024 k), kB (1,000 bytes) or MB "
            f"(1,000 kB), for instance 65536, 64k or 64kB"
        )
    nbytes = int(float(found[1]) * unit)
    if nbytes < 1:
        raise BadInput(f"--sram {text}: must be at least one byte")
    return nbytes


def _max_macs(text: str) -> float | None:
    if not text:
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 1 <= factor < math.inf:
        raise BadInput(
            f"--max-macs {text}: must be a number of at least 1, the MACs executed as a multiple of the model's, for "
            f"instance 1.14"
        )
    return factor
