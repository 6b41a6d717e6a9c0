"""Unary operators on 8-bit data as 256-byte tables, filled as the reference kernels compute them.

table[input byte as unsigned] = output byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.arith.activation import Activation, clamp_range, dtype_range
from tessera.arith.fixed_point import (
    Ints,
    quantize_multiplier,
    rescale,
    round_half_away,
    rounding_shift_right,
    saturating_shift_left,
)
from tessera.arith.multipliers import requantize_multiplier
from tessera.ir.attrs import Clamp
from tessera.ir.graph import DType, Tensor

F32 = np.float32
Table = NDArray[np.uint8]
Floats = NDArray[Any]


def byte_values(dtype: DType) -> Ints:
    """[256] the value of each raw byte."""
    return np.arange(256, dtype=np.uint8).view(dtype.numpy).astype(np.int64)


def logistic_table(x: Tensor, y: Tensor) -> Table:
    def logistic(real: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return F32(1) / (F32(1) + np.exp(-real.astype(np.float64)).astype(F32))

    return _float_table(x, y, logistic)


def tanh_table(x: Tensor, y: Tensor) -> Table:
    return _float_table(x, y, lambda real: np.tanh(real.astype(np.float64)))


def requantize_table(x: Tensor, y: Tensor) -> Table:
    """QUANTIZE from 8 to 8 bits."""
    return _store(rescale(_centred(x), *requantize_multiplier(x.q, y.q)), y, dtype_range(y.dtype))


def relu_table(x: Tensor, y: Tensor, activation: Activation) -> Table:
    """RELU, RELU6, RELU_N1_TO_1 as operators of their own: requantise (FLOAT32 multiplier) and clamp."""
    values = rescale(_centred(x), *quantize_multiplier(x.q.scale / y.q.scale))
    return _store(values, y, clamp_range(activation, y.q, y.dtype))


def leaky_relu_table(x: Tensor, y: Tensor, alpha: float) -> Table:
    """FLOAT32 multipliers."""
    centred = _centred(x)
    positive = rescale(centred, *quantize_multiplier(x.q.scale / y.q.scale))
    negative = rescale(centred, *quantize_multiplier(x.q.scale * F32(alpha) / y.q.scale))
    return _store(np.where(centred >= 0, positive, negative), y, dtype_range(y.dtype))


def concatenation_table(x: Tensor, y: Tensor) -> Table:
    """A uint8 operand of CONCATENATION whose scale is not the output's: float32, in this order."""
    scale = x.q.scale * (F32(1) / y.q.scale)
    bias = F32(-x.q.zero_point) * scale
    values = round_half_away(byte_values(x.dtype).astype(F32) * scale + bias).astype(np.int64)
    return _store(values, y, dtype_range(y.dtype))


def hard_swish_table(x: Tensor, y: Tensor) -> Table:
    """16-bit fixed point with 16-bit multipliers, saturations and one TRUNCATING high multiplication (reference_ops
    HardSwish)."""

    def high_mul(a: Ints, b: int) -> Ints:
        return (a * b + (1 << 14)) >> 15  # half up; cannot saturate here

    value = _centred(x) << 7
    hires = F32(1 / 128) * x.q.scale
    out_multiplier, out_shift = _multiplier16(hires / y.q.scale)
    relu_multiplier, relu_shift = _multiplier16(hires / (F32(3) / F32(32768)))
    before = high_mul(value, out_multiplier)
    gate = saturating_shift_left(value, relu_shift - 1, 16) if relu_shift > 0 else value
    gate = high_mul(gate, relu_multiplier)
    if relu_shift > 0:
        gate = saturating_shift_left(gate, 1, 16)
    if relu_shift < 0:
        gate = rounding_shift_right(gate, -relu_shift)
    gate = (gate + (1 << 15)) >> 1
    product = np.where(gate * before >= 0, gate * before >> 15, -((-gate * before) >> 15))
    return _store(rounding_shift_right(product, -out_shift), y, dtype_range(y.dtype))


def _multiplier16(real: np.floating[Any]) -> tuple[int, int]:
    multiplier, shift = quantize_multiplier(real)
    return min((multiplier + (1 << 15)) >> 16, 32767), shift


def _float_table(x: Tensor, y: Tensor, function: Callable[[Floats], Floats]) -> Table:
    """float32 steps: scale * (q - zero_point), function, times the RECIPROCAL of the output scale, half away."""
    real = x.q.scale * _centred(x).astype(F32)
    scaled = function(real).astype(F32) * (F32(1) / y.q.scale)
    return _store(round_half_away(scaled).astype(np.int64), y, dtype_range(y.dtype))


def _centred(x: Tensor) -> Ints:
    return byte_values(x.dtype) - x.q.zero_point


def _store(values: Ints, y: Tensor, limits: Clamp) -> Table:
    return np.clip(values + y.q.zero_point, *limits).astype(y.dtype.numpy).view(np.uint8)
