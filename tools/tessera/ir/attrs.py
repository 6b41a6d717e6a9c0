"""Attributes of operators: one class per kind. All are resolved numbers; nothing refers to the source file's options.

`Clamp` is the fused activation as output bytes, `(min, max)` inclusive. `Padding` is (top, bottom, left, right) input
pixels; padding reads as the input's zero point (convolutions) or is left out (pools).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Clamp = tuple[int, int]
Padding = tuple[int, int, int, int]
Pair = tuple[int, int]  # (vertical, horizontal)


@dataclass(frozen=True, slots=True)
class Conv2D:
    """in [1,H,W,C], weights OHWI, bias [O] int32 or absent (inputs has 2 or 3 entries)."""

    stride: Pair
    padding: Padding
    clamp: Clamp
    float32_product: bool = False  # legacy uint8: the multiplier comes from float32(s_x * s_w)


@dataclass(frozen=True, slots=True)
class DepthwiseConv2D:
    """in [1,H,W,C], weights [1,KH,KW,C*depth_multiplier]; output channel = input channel * depth_multiplier + m."""

    stride: Pair
    padding: Padding
    clamp: Clamp
    depth_multiplier: int
    float32_product: bool = False


@dataclass(frozen=True, slots=True)
class FullyConnected:
    """in [..., K] flattened to rows of K, weights [O, K], bias [O] int32 or absent. Rounds once, in double."""

    clamp: Clamp


@dataclass(frozen=True, slots=True)
class Add:
    """Broadcasts; either operand may be constant."""

    clamp: Clamp


@dataclass(frozen=True, slots=True)
class Sub:
    clamp: Clamp


@dataclass(frozen=True, slots=True)
class Mul:
    clamp: Clamp


@dataclass(frozen=True, slots=True)
class PRelu:
    """inputs: x, alpha (constant, broadcasts)."""


@dataclass(frozen=True, slots=True)
class AvgPool2D:
    """Mean of raw bytes inside the map, half away from `raw_zero` (0; -128 where the source was uint8)."""

    kernel: Pair
    stride: Pair
    padding: Padding
    clamp: Clamp
    raw_zero: int = 0


@dataclass(frozen=True, slots=True)
class MaxPool2D:
    kernel: Pair
    stride: Pair
    padding: Padding
    clamp: Clamp


@dataclass(frozen=True, slots=True)
class Mean:
    axes: tuple[int, ...]  # sorted, non-negative
    keep_dims: bool


@dataclass(frozen=True, slots=True)
class MeanOfMeans:
    """MEAN over the columns, then MEAN over the rows, each rounded to 8 bits: [1,H,W,C] -> [1,1,1,C].

    Some converters write a global average so. Scale and zero point are those of the rows' means between the two.
    """

    row_scale: np.float32
    row_zero_point: int


@dataclass(frozen=True, slots=True)
class Softmax:
    """Over the last axis."""

    beta: float


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """Any unary operator on 8-bit data: out byte = table[in byte as unsigned]. `origin` names the source operator."""

    table: NDArray[np.uint8]  # [256], indexed by the raw input byte
    origin: str


@dataclass(frozen=True, slots=True)
class Quantize:
    """float32 -> 8 bit."""


@dataclass(frozen=True, slots=True)
class Dequantize:
    """8 bit -> float32."""


@dataclass(frozen=True, slots=True)
class Reshape:
    """Same bytes, another shape: a view, costs nothing."""


@dataclass(frozen=True, slots=True)
class Pad:
    amounts: tuple[Pair, ...]  # (before, after) per dimension
    value: int


@dataclass(frozen=True, slots=True)
class Transpose:
    perm: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Concatenation:
    axis: int


@dataclass(frozen=True, slots=True)
class Split:
    axis: int


@dataclass(frozen=True, slots=True)
class StridedSlice:
    """out[i] = in[begin + i * step] along every input dimension, `size` of them; then dimensions in `shrink` go."""

    begin: tuple[int, ...]
    step: tuple[int, ...]
    size: tuple[int, ...]
    shrink: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    axis: int


@dataclass(frozen=True, slots=True)
class ResizeNearest:
    align_corners: bool
    half_pixel_centers: bool


@dataclass(frozen=True, slots=True)
class ResizeBilinear:
    align_corners: bool
    half_pixel_centers: bool


Attrs = (
    Conv2D
    | DepthwiseConv2D
    | FullyConnected
    | Add
    | Sub
    | Mul
    | PRelu
    | AvgPool2D
    | MaxPool2D
    | Mean
    | MeanOfMeans
    | Softmax
    | Lookup
    | Quantize
    | Dequantize
    | Reshape
    | Pad
    | Transpose
    | Concatenation
    | Split
    | StridedSlice
    | Pack
    | ResizeNearest
    | ResizeBilinear
)

CLAMPING = Conv2D | DepthwiseConv2D | FullyConnected | Add | Sub | Mul | AvgPool2D | MaxPool2D
"""Kinds that have a `clamp`."""
