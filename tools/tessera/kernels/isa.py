"""Which kernels a schedule may use: the instruction set, and whether they may take memory to be fast."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Isa(Enum):
    """Values are those of boards/*.json."""

    PORTABLE = "portable"  # kernels/ref: any C11 compiler
    ARMV7E_M = "armv7e-m+dsp"  # kernels/dsp: Cortex-M4 and M7


@dataclass(frozen=True, slots=True)
class KernelSet:
    """`fast`: kernels take what scratch they can use. Else they take none inside a streamed stage, and as a layer only
    what they cannot do without."""

    isa: Isa = Isa.PORTABLE
    fast: bool = True


PORTABLE = KernelSet()
