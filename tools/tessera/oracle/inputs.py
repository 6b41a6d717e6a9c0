"""Inputs that reach the corners: noise, narrow noise, a ramp, all least, all greatest, and then more noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.ir.attrs import Quantize
from tessera.ir.graph import DType, Graph, Tensor, TensorId

Array = NDArray[Any]
STYLES = ("noise", "narrow noise", "ramp", "least", "greatest", "smooth", "noise", "narrow noise")


def test_inputs(graph: Graph, count: int, seed: int) -> list[list[Array]]:
    """`count` inputs of the graph, each a list in the order of graph.inputs; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [[_draw(graph, i, STYLES[n % len(STYLES)], rng) for i in graph.inputs] for n in range(count)]


test_inputs.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks of its name


def _draw(graph: Graph, i: TensorId, style: str, rng: np.random.Generator) -> Array:
    t = graph.tensors[i]
    unit = _unit(t, style, rng).reshape(t.shape)
    if t.dtype is DType.FLOAT32:
        low, high = _float_range(graph, i)
        return (low + unit * (high - low)).astype(np.float32)
    info = np.iinfo(t.dtype.numpy)
    return (info.min + np.rint(unit * (int(info.max) - int(info.min)))).astype(t.dtype.numpy)


def _unit(t: Tensor, style: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Values in [0, 1]."""
    n = t.size
    if style == "least":
        return np.zeros(n)
    if style == "greatest":
        return np.ones(n)
    if style == "narrow noise":
        return np.clip(rng.normal(0.5, 0.12, n), 0, 1)
    if style == "ramp":
        return np.asarray((np.arange(n) / n + rng.uniform(0, 0.1, n)) % 1, np.float64)
    if style == "smooth":
        phase = np.arange(n, dtype=np.float64) * rng.uniform(0.001, 0.1) + rng.uniform(0, 6)
        return np.asarray(0.5 + 0.5 * np.sin(phase), np.float64)
    return rng.uniform(0, 1, n)


def _float_range(graph: Graph, i: TensorId) -> tuple[float, float]:
    """What the QUANTIZE behind a float input can represent, and a bit more so that it saturates."""
    for op in graph.ops:
        if isinstance(op.attrs, Quantize) and op.inputs[0] == i:
            q = graph.tensors[op.outputs[0]].q
            return (-128 - q.zero_point - 9) * float(q.scale), (127 - q.zero_point + 9) * float(q.scale)
    return -1.0, 1.0
