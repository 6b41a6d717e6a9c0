"""Integer arithmetic on shapes, which converters leave in a graph whose batch was dynamic: evaluated at load."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.frontend.view import OpView

Array = NDArray[Any]


def _strided_slice(op: OpView, v: list[Array]) -> Array:
    o = op.options
    index: list[int | slice] = []
    for d, (begin, end, step) in enumerate(zip(*(np.ravel(a).tolist() for a in v[1:4]), strict=True)):
        bit = 1 << d
        if o.shrinkAxisMask & bit:
            index.append(begin)
        else:
            index.append(slice(None if o.beginMask & bit else begin, None if o.endMask & bit else end, step))
    result: Array = v[0][tuple(index)]
    return result


def _slice(_: OpView, v: list[Array]) -> Array:
    bounds = zip(v[1].tolist(), v[2].tolist(), strict=True)
    result: Array = v[0][tuple(slice(b, None if n < 0 else b + n) for b, n in bounds)]
    return result


def _reduce_prod(op: OpView, v: list[Array]) -> Array:
    axes = tuple(int(a) for a in np.ravel(v[1]))
    return np.asarray(np.prod(v[0], axis=axes, keepdims=bool(op.options.keepDims), dtype=v[0].dtype))


FOLDERS: dict[str, tuple[str | None, Callable[[OpView, list[Array]], Array]]] = {
    "SHAPE": ("Shape", lambda op, _: np.array(op.input(0).shape)),
    "STRIDED_SLICE": ("StridedSlice", _strided_slice),
    "SLICE": (None, _slice),
    "PACK": ("Pack", lambda op, v: np.stack(v, axis=op.options.axis)),
    "GATHER": ("Gather", lambda op, v: np.take(v[0], v[1], axis=op.options.axis)),
    "REDUCE_PROD": ("Reducer", _reduce_prod),
    "CAST": (None, lambda _, v: v[0]),
    "ADD": (None, lambda _, v: v[0] + v[1]),
    "SUB": (None, lambda _, v: v[0] - v[1]),
    "MUL": (None, lambda _, v: v[0] * v[1]),
    "CONCATENATION": ("Concatenation", lambda op, v: np.concatenate(v, axis=op.options.axis)),
    "RESHAPE": (None, lambda _, v: v[0].reshape(v[1].tolist())),
    "EXPAND_DIMS": (None, lambda _, v: np.expand_dims(v[0], int(v[1].reshape(())))),
    "SQUEEZE": (None, lambda _, v: np.squeeze(v[0])),
}
"""Kind -> (class of options, function). Applied where the output is a plain integer tensor."""
