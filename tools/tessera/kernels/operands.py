"""Parts that many kernels share: operands, shapes, multipliers, per-channel requantization."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.arith.fixed_point import Ints, Multiplier
from tessera.errors import UnsupportedModel
from tessera.ir.attrs import Clamp
from tessera.ir.graph import DType, Graph, Op, Tensor, TensorId
from tessera.kernels.call import Array, Operand, Struct

MAX_SHIFT = 30  # to the left, of a multiplier in C


def output_of(op: Op) -> TensorId:
    (out,) = op.outputs
    return out


def constant(tensor: Tensor) -> NDArray[Any]:
    assert tensor.data is not None, tensor.name
    return tensor.data


def s8(graph: Graph, tensor: TensorId, role: str = "") -> Operand | Array:
    """An int8 operand: in the arena, or in flash under `role` if it is constant."""
    t = graph.tensor(tensor)
    assert t.dtype is DType.INT8, f"{t.name} is {t.dtype.value}: passes leave int8 only"
    if not t.is_constant:
        return Operand(tensor, "int8_t")
    assert role, f"{t.name} is constant"
    return Array(role, "int8_t", constant(t))


def u8(graph: Graph, tensor: TensorId, role: str = "") -> Operand | Array:
    """An operand of bytes, signed or not."""
    t = graph.tensor(tensor)
    assert t.dtype in (DType.INT8, DType.UINT8), f"{t.name} is {t.dtype.value}"
    if not t.is_constant:
        return Operand(tensor, "uint8_t")
    assert role, f"{t.name} is constant"
    return Array(role, "uint8_t", np.ascontiguousarray(constant(t)).view(np.uint8))


def map_shape(tensor: Tensor) -> Struct:
    """[1, h, w, c] as a tess_shape_t."""
    n, h, w, c = tensor.shape
    assert n == 1, tensor.name
    return Struct("tess_shape_t", (("h", h), ("w", w), ("c", c)))


def multiplier(op: Op, pair: Multiplier) -> Struct:
    _check_shift(op, pair[1])
    return Struct("tess_multiplier_t", (("multiplier", pair[0]), ("shift", pair[1])))


def requant(op: Op, out: Tensor, multipliers: Ints, shifts: Ints, clamp: Clamp) -> Struct:
    _check_shift(op, int(shifts.max()))
    return Struct(
        "tess_requant_t",
        (
            ("multiplier", Array("multiplier", "int32_t", multipliers)),
            ("shift", Array("shift", "int8_t", shifts.astype(np.int8))),
            ("zero_point", out.q.zero_point),
            ("min", clamp[0]),
            ("max", clamp[1]),
        ),
    )


def bias_of(graph: Graph, op: Op) -> NDArray[Any] | None:
    return constant(graph.tensor(op.inputs[2])).reshape(-1) if len(op.inputs) > 2 else None


def bias_field(graph: Graph, op: Op) -> Array | None:
    bias = bias_of(graph, op)
    return None if bias is None else Array("bias", "int32_t", bias)


def centred_weights(graph: Graph, op: Op) -> NDArray[np.int64]:
    """Weights less their zero point."""
    w = graph.tensor(op.inputs[1])
    return constant(w).astype(np.int64) - w.q.zero_point


def _check_shift(op: Op, shift: int) -> None:
    if shift > MAX_SHIFT:
        raise UnsupportedModel(
            f"{type(op.attrs).__name__} '{op.name}': the output scale is 2^{shift} times finer than the product of the "
            f"input scales, at most 2^{MAX_SHIFT} can be computed"
        )
