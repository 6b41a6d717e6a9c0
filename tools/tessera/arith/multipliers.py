"""Integer parameters of each operator from its tensors' scales, each in the float type of the reference's Prepare.

The float type is visible in the output: a float32 product gives another last bit of the multiplier than a double one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tessera.arith.fixed_point import (
    Ints,
    Multiplier,
    doubling_high_mul,
    exp_on_negative_q5,
    quantize_multiplier,
    quantize_multipliers,
    round_half_away,
    truncating_div,
)
from tessera.ir.graph import Quant

F64 = np.float64
ADD_LEFT_SHIFT = 20  # ADD and SUB bring both operands to 2^-20 of twice the larger scale
SOFTMAX_INTEGER_BITS = 5  # differences are Q5.26


def conv_multipliers(x: Quant, w: Quant, y: Quant, channels: int, float32_product: bool) -> tuple[Ints, Ints]:
    """(multiplier[channels], shift[channels]) of CONV_2D and DEPTHWISE_CONV_2D: a product in DOUBLE; legacy uint8: in
    FLOAT32, then a double division."""
    if float32_product:
        real = np.broadcast_to(F64(x.scale * w.scale) / F64(y.scale), channels)
    else:
        real = fully_connected_reals(x, w, y, channels)
    return quantize_multipliers(real)


def fully_connected_reals(x: Quant, w: Quant, y: Quant, channels: int) -> NDArray[np.float64]:
    """FULLY_CONNECTED rounds acc * real once, in double, half away from zero; see `single_rounding` for integers."""
    return F64(x.scale) * np.broadcast_to(w.scales.astype(F64), channels) / F64(y.scale)


@dataclass(frozen=True, slots=True)
class AddMultipliers:
    """out = rescale(rescale(a << left_shift, *a) +- rescale(b << left_shift, *b), *out)"""

    a: Multiplier
    b: Multiplier
    out: Multiplier
    left_shift: int = ADD_LEFT_SHIFT


def add_multipliers(a: Quant, b: Quant, y: Quant) -> AddMultipliers:
    """ADD and SUB, in double; SUB negates b after its rounding."""
    twice_max = 2 * max(F64(a.scale), F64(b.scale))
    return AddMultipliers(
        quantize_multiplier(F64(a.scale) / twice_max),
        quantize_multiplier(F64(b.scale) / twice_max),
        quantize_multiplier(twice_max / (F64(1 << ADD_LEFT_SHIFT) * F64(y.scale))),
    )


def mul_multiplier(a: Quant, b: Quant, y: Quant) -> Multiplier:
    """FLOAT32 throughout."""
    return quantize_multiplier(a.scale * b.scale / y.scale)


def prelu_multipliers(x: Quant, alpha: Quant, y: Quant) -> tuple[Multiplier, Multiplier]:
    """(for x >= 0, for x * alpha), FLOAT32 throughout."""
    return quantize_multiplier(x.scale / y.scale), quantize_multiplier(x.scale * alpha.scale / y.scale)


def requantize_multiplier(x: Quant, y: Quant) -> Multiplier:
    """QUANTIZE 8 -> 8 bit, in double."""
    return quantize_multiplier(F64(x.scale) / F64(y.scale))


def mean_multiplier(x: Quant, y: Quant, count: int) -> Multiplier:
    """For the SUM over `count` elements: the division by count is folded into the multiplier and TRUNCATES."""
    multiplier, shift = requantize_multiplier(x, y)
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // count, shift - extra


def softmax_exp_table(x: Quant, beta: float) -> NDArray[np.int32]:
    """[256] exp(beta * scale * -d) as Q0.31, indexed by d = max - x; 0 where the difference leaves Q5.26."""
    real = min(F64(np.float32(beta)) * F64(x.scale) * (1 << (31 - SOFTMAX_INTEGER_BITS)), F64((1 << 31) - 1.0))
    multiplier, left = quantize_multiplier(real)
    difference = np.arange(256, dtype=np.int64)
    if left < 0:  # the reference insists on a multiplier above one; so small a scale is softmax of a constant
        raise ValueError(f"softmax scale {x.scale} * beta {beta} is below 2^-26")
    radius = int(np.floor(31.0 * (1 << (31 - SOFTMAX_INTEGER_BITS)) / (1 << left)))
    reachable = np.minimum(difference, radius)
    exp = exp_on_negative_q5(doubling_high_mul(-reachable << left, multiplier))
    return np.where(difference <= radius, exp, 0).astype(np.int32)


def resize_nearest_indices(n: int, size: int, align_corners: bool, half_pixel_centers: bool) -> Ints:
    """[size] source index of each output index along one axis, computed in FLOAT32."""
    f = np.float32
    scale = f(n - 1) / f(size - 1) if align_corners and size > 1 else f(n) / f(size)
    position = (np.arange(size, dtype=f) + f(0.5 if half_pixel_centers else 0)) * scale
    index = (round_half_away(position) if align_corners else np.floor(position)).astype(np.int64)
    return np.clip(index, 0, n - 1)


@dataclass(frozen=True, slots=True, eq=False)
class BilinearAxis:
    """out[i] = in[low[i]] * weight_low[i] + in[high[i]] * weight_high[i] along one axis; weights are Q10."""

    low: Ints
    high: Ints
    weight_low: Ints
    weight_high: Ints


def resize_bilinear_axis(n: int, size: int, align_corners: bool, half_pixel_centers: bool) -> BilinearAxis:
    """Integer positions in Q10 (reference_ops ResizeBilinearInteger)."""
    if align_corners and size > 1:
        step = ((n - 1) * 1024 + (size - 1) // 2) // (size - 1)
    else:
        step = (n * 1024 + size // 2) // size
    position = np.arange(size, dtype=np.int64) * step + (step // 2 - 512 if half_pixel_centers else 0)
    low = np.maximum(truncating_div(position, 1024), 0)
    high = np.minimum(truncating_div(position + 1023, 1024), n - 1)
    return BilinearAxis(low, high, 1024 - (position - 1024 * low), position - 1024 * low)
