"""The C kernel of a step, with its constants and operands. Python decides here, templates print it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from tessera.ir.graph import TensorId


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    """A constant array in flash. `role` names it within its step; a `tess_interpolation_t` has [n, 3] integers."""

    role: str
    ctype: str  # of an element
    data: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Struct:
    """A constant struct in flash, with the fields of the C type in its order.

    An int is an int32_t, a float a float, an Array, a Function or None a pointer, a tuple an int32_t[TESS_MAX_DIMS].
    """

    ctype: str
    fields: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the library, or a table of some, as a pointer."""

    symbol: str


Value = int | float | None | Array | Function | Struct | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Operand:
    """A tensor at its place in the arena, as a pointer to `ctype`."""

    tensor: TensorId
    ctype: str


@dataclass(frozen=True, slots=True)
class Scratch:
    """The kernel's scratch, as a `void *`."""


Argument = Struct | Operand | Array | Scratch | int


@dataclass(frozen=True, slots=True, eq=False)
class KernelCall:
    """A step of a layer: calls of one kernel that together complete one tensor."""

    op: str  # name of the operator
    kind: str  # its class of attributes, or the source operator of a lookup
    symbol: str
    output: TensorId
    calls: tuple[tuple[Argument, ...], ...]
    macs: int = 0
    scratch_bytes: int = 0

    @property
    def inputs(self) -> tuple[TensorId, ...]:
        """The tensors of the arena that it reads."""
        operands = (a.tensor for call in self.calls for a in call if isinstance(a, Operand))
        return tuple(dict.fromkeys(t for t in operands if t != self.output))


@dataclass(frozen=True, slots=True, eq=False)
class SpanSource:
    """The rows of one operand that row y of the output needs: `count` from y * stride - pad, or from first[y]. A
    constant operand is an Array, whose only row every row needs."""

    operand: TensorId | Array
    count: int
    stride: int
    pad: int
    first: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SpanKernel:
    """A step of a streamed stage: a kernel that computes spans of rows (tess_span_kernel_t)."""

    op: str
    kind: str
    symbol: str
    output: TensorId
    struct: Struct
    sources: tuple[SpanSource, ...]
    reduces: bool
    macs: int = 0  # of all pieces, also those that are computed again
    scratch_bytes: int = 0

    @property
    def inputs(self) -> tuple[TensorId, ...]:
        return tuple(dict.fromkeys(s.operand for s in self.sources if not isinstance(s.operand, Array)))


Step = KernelCall | SpanKernel
