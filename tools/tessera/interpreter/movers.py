"""Operators that only move bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.ir.attrs import Concatenation, Pack, Pad, Reshape, Split, StridedSlice, Transpose
from tessera.ir.graph import Tensor

Array = NDArray[Any]
Tensors = Sequence[Tensor]
Values = Sequence[Array]


def reshape(_: Reshape, __: Tensors, outs: Tensors, v: Values) -> Array:
    return v[0].reshape(outs[0].shape)


def pad(attrs: Pad, _: Tensors, __: Tensors, v: Values) -> Array:
    return np.pad(v[0], attrs.amounts, constant_values=attrs.value)


def transpose(attrs: Transpose, _: Tensors, __: Tensors, v: Values) -> Array:
    return v[0].transpose(attrs.perm)


def concatenation(attrs: Concatenation, _: Tensors, __: Tensors, v: Values) -> Array:
    return np.concatenate(v, axis=attrs.axis)


def split(attrs: Split, _: Tensors, outs: Tensors, v: Values) -> list[Array]:
    return np.split(v[0], len(outs), axis=attrs.axis)


def strided_slice(attrs: StridedSlice, _: Tensors, outs: Tensors, v: Values) -> Array:
    value = v[0]
    for axis, (begin, step, size) in enumerate(zip(attrs.begin, attrs.step, attrs.size, strict=True)):
        value = value.take(begin + step * np.arange(size), axis=axis)
    return value.reshape(outs[0].shape)


def pack(attrs: Pack, _: Tensors, __: Tensors, v: Values) -> Array:
    return np.stack(v, axis=attrs.axis)
