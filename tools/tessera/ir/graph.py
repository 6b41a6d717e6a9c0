"""Graph: what a network computes, before any decision on order, memory or kernels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NewType

import numpy as np
from numpy.typing import NDArray

from tessera.ir.attrs import Attrs

TensorId = NewType("TensorId", int)


class DType(Enum):
    """Element type; the value is numpy's name of it."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    BOOL = "bool"

    @property
    def numpy(self) -> np.dtype[Any]:
        return np.dtype(self.value)

    @property
    def nbytes(self) -> int:
        return self.numpy.itemsize


@dataclass(frozen=True, slots=True, eq=False)
class Quant:
    """real = scale * (q - zero_point), per tensor (one scale) or along `axis`.

    The scales stay float32 as stored: the float type decides the last bit of a multiplier.
    """

    scales: NDArray[np.float32]
    zero_point: int
    axis: int = 0

    @property
    def scale(self) -> np.float32:
        return np.float32(self.scales[0])

    def same_as(self, other: Quant | None) -> bool:
        return other is not None and self.zero_point == other.zero_point and np.array_equal(self.scales, other.scales)


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A value of the graph: NHWC activations, OHWI weights; `data` is present on constants.

    `source` is the index of the tensor in the .tflite file that has the same elements (but for uint8, see
    passes/uint8_to_int8.py), or None for one that a pass made. `kept` says which positions of that tensor's last axis
    are left, in order, where a pass took some away (see passes/fold_dead_channels.py); None: all of them.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: Quant | None = None
    data: NDArray[Any] | None = None
    source: int | None = None
    kept: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.nbytes

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def q(self) -> Quant:
        """The quantization of a tensor that must have one."""
        assert self.quant is not None, self.name
        return self.quant


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """An operator. `name` is unique in the graph and made from its first output's name."""

    name: str
    attrs: Attrs
    inputs: tuple[TensorId, ...]  # data operands only: axes, paddings, shapes and permutations are attributes
    outputs: tuple[TensorId, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Operators in a topological order. A TensorId is an index into `tensors` and never changes between passes: a pass
    may append tensors, and may leave ones that nothing uses."""

    name: str
    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[TensorId, ...]
    outputs: tuple[TensorId, ...]
    source_sha256: str = ""

    def tensor(self, i: TensorId) -> Tensor:
        return self.tensors[i]

    def producer(self) -> dict[TensorId, int]:
        """Tensor -> index of the operator that computes it."""
        return {t: i for i, op in enumerate(self.ops) for t in op.outputs}

    def consumers(self) -> dict[TensorId, list[int]]:
        """Tensor -> indices of the operators that read it (constants included), in order."""
        readers: dict[TensorId, list[int]] = {}
        for i, op in enumerate(self.ops):
            for t in dict.fromkeys(op.inputs):
                readers.setdefault(t, []).append(i)
        return readers
