"""Operators on one element, one pair or one row at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.arith.activation import dtype_range
from tessera.arith.fixed_point import (
    Ints,
    doubling_high_mul,
    reciprocal_one_plus,
    rescale,
    round_half_away,
    rounding_shift_right,
)
from tessera.arith.multipliers import add_multipliers, mul_multiplier, prelu_multipliers, softmax_exp_table
from tessera.interpreter.store import centred, store
from tessera.ir.attrs import Add, Dequantize, Lookup, Mul, PRelu, Quantize, Softmax, Sub
from tessera.ir.graph import Tensor

Array = NDArray[Any]
Tensors = Sequence[Tensor]
Values = Sequence[Array]


def add(attrs: Add, ins: Tensors, outs: Tensors, v: Values) -> Array:
    return store(_sum(ins, outs[0], v, 1), outs[0], attrs.clamp)


def sub(attrs: Sub, ins: Tensors, outs: Tensors, v: Values) -> Array:
    return store(_sum(ins, outs[0], v, -1), outs[0], attrs.clamp)


def _sum(ins: Tensors, out: Tensor, v: Values, sign: int) -> Ints:
    m = add_multipliers(ins[0].q, ins[1].q, out.q)
    a = rescale(centred(v[0], ins[0]) << m.left_shift, *m.a)
    b = rescale(centred(v[1], ins[1]) << m.left_shift, *m.b)
    return rescale(a + sign * b, *m.out)


def mul(attrs: Mul, ins: Tensors, outs: Tensors, v: Values) -> Array:
    product = centred(v[0], ins[0]) * centred(v[1], ins[1])
    return store(rescale(product, *mul_multiplier(ins[0].q, ins[1].q, outs[0].q)), outs[0], attrs.clamp)


def prelu(_: PRelu, ins: Tensors, outs: Tensors, v: Values) -> Array:
    x, alpha = centred(v[0], ins[0]), centred(v[1], ins[1])
    positive, negative = prelu_multipliers(ins[0].q, ins[1].q, outs[0].q)
    result = np.where(x >= 0, rescale(x, *positive), rescale(x * alpha, *negative))
    return store(result, outs[0], dtype_range(outs[0].dtype))


def lookup(attrs: Lookup, _: Tensors, outs: Tensors, v: Values) -> Array:
    return attrs.table[v[0].view(np.uint8)].view(outs[0].dtype.numpy)


def quantize(_: Quantize, __: Tensors, outs: Tensors, v: Values) -> Array:
    """float32 division, half away. Beyond the range of int32 (and NaN) C leaves the result undefined; here it saturates
    (NaN gives the least value)."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.nan_to_num(round_half_away(v[0] / outs[0].q.scale), nan=-(2.0**31))
    return store(np.clip(scaled, -(1 << 31), 1 << 31).astype(np.int64), outs[0], dtype_range(outs[0].dtype))


def dequantize(_: Dequantize, ins: Tensors, __: Tensors, v: Values) -> Array:
    return (np.float64(ins[0].q.scale) * centred(v[0], ins[0])).astype(np.float32)


def softmax(attrs: Softmax, ins: Tensors, outs: Tensors, v: Values) -> Array:
    """Over the last axis. The table gives exp as Q0.31; the sum is Q12.19 (gemmlowp, reference_ops Softmax)."""
    table = softmax_exp_table(ins[0].q, attrs.beta).astype(np.int64)
    x = v[0].astype(np.int64)
    numerator = table[x.max(axis=-1, keepdims=True) - x]
    total = rounding_shift_right(numerator, 12).sum(axis=-1, keepdims=True)
    headroom = 32 - np.frexp(total.astype(np.float64))[1].astype(np.int64)  # leading zeros of an int32
    scale = reciprocal_one_plus((total << headroom) - (1 << 31))
    least, greatest = dtype_range(outs[0].dtype)
    result = rounding_shift_right(doubling_high_mul(scale, numerator), 12 - headroom + 31 - 8) + least
    return np.clip(result, least, greatest).astype(outs[0].dtype.numpy)
