"""The last step of most operators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.arith.fixed_point import Ints
from tessera.ir.attrs import Clamp
from tessera.ir.graph import Tensor


def store(values: Ints, out: Tensor, clamp: Clamp) -> NDArray[Any]:
    """Adds the zero point, clamps, narrows. Limits that cross give the upper one, as min(max(v, low), high) in C."""
    return np.minimum(np.maximum(values + out.q.zero_point, clamp[0]), clamp[1]).astype(out.dtype.numpy)


def centred(value: NDArray[Any], tensor: Tensor) -> Ints:
    """int64 value minus its zero point."""
    return value.astype(np.int64) - tensor.q.zero_point
