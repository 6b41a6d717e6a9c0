"""An operator of a file together with its tensors: what rules look at and converters read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tessera.ir.attrs import Pair
from tessera.ir.graph import DType, Tensor


@dataclass(frozen=True, slots=True, eq=False)
class OpView:
    """`inputs` and `outputs` are parallel to `input_ids` and `output_ids`; an absent input is None and -1.

    The shapes of inputs are known; those of outputs are as the file claims."""

    kind: str
    version: int
    options: Any  # the schema's object of this kind
    input_ids: tuple[int, ...]
    output_ids: tuple[int, ...]
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        return label(self.outputs[0].name)

    def has(self, i: int) -> bool:
        return i < len(self.inputs) and self.inputs[i] is not None

    def input(self, i: int) -> Tensor:
        tensor = self.inputs[i]
        assert tensor is not None, f"{self.kind} input {i}"
        return tensor

    @property
    def data(self) -> Tensor:
        """The tensor that is worked on: the last input of SPLIT, the first of all others."""
        return self.input(1 if self.kind == "SPLIT" else 0)

    @property
    def out(self) -> Tensor:
        return self.outputs[0]

    def is_constant(self, i: int) -> bool:
        return self.input(i).is_constant

    def ints(self, i: int) -> list[int]:
        """The values of a constant integer input."""
        values = self.input(i).data
        assert values is not None, f"{self.kind} input {i}"
        return [int(v) for v in np.ravel(values)]

    @property
    def stride(self) -> Pair:
        return int(self.options.strideH), int(self.options.strideW)

    @property
    def dilation(self) -> Pair:
        """Of a convolution."""
        return int(self.options.dilationHFactor), int(self.options.dilationWFactor)

    @property
    def kernel(self) -> Pair:
        """Of a convolution (from its weights, with the gaps of its dilation) or a pool (from its options)."""
        if self.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            (height, width), (down, across) = self.input(1).shape[1:3], self.dilation
            return (height - 1) * down + 1, (width - 1) * across + 1
        return int(self.options.filterHeight), int(self.options.filterWidth)


BYTE_TYPES = (DType.INT8, DType.UINT8)


def label(name: str) -> str:
    """A tensor's name in a sentence: converters join the names of all that they fused with semicolons."""
    return name.split(";")[0][:80]
