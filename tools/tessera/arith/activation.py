"""Fused activations as ranges of output values."""

from __future__ import annotations

from enum import Enum

import numpy as np

from tessera.arith.fixed_point import round_half_away
from tessera.ir.attrs import Clamp
from tessera.ir.graph import DType, Quant


class Activation(Enum):
    """The fused activations that the reference kernels know; the value is the schema's number."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3


_LIMITS = {
    Activation.NONE: (None, None),
    Activation.RELU: (0, None),
    Activation.RELU_N1_TO_1: (-1, 1),
    Activation.RELU6: (0, 6),
}


def dtype_range(dtype: DType) -> Clamp:
    info = np.iinfo(dtype.numpy)
    return int(info.min), int(info.max)


def clamp_range(activation: Activation, quant: Quant, dtype: DType) -> Clamp:
    """Least and greatest output value (CalculateActivationRangeQuantized).

    The real limit is divided by the FLOAT32 scale, rounded half away from zero and moved by the zero point."""
    low, high = dtype_range(dtype)
    least, greatest = _LIMITS[activation]
    q_low = low if least is None else quant.zero_point + _quantize(least, quant)
    q_high = high if greatest is None else quant.zero_point + _quantize(greatest, quant)
    return max(low, q_low), min(high, q_high)


def _quantize(real: float, quant: Quant) -> int:
    with np.errstate(over="ignore"):
        return int(np.clip(round_half_away(np.float32(real) / quant.scale), -(1 << 30), 1 << 30))
