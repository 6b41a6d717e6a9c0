"""Small graphs to try passes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tessera.interpreter import run
from tessera.ir.attrs import Attrs, Conv2D, Lookup
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.ir.verify import verify_graph


def quant(zero_point: int = 0, scale: float = 0.1) -> Quant:
    return Quant(np.array([scale], np.float32), zero_point)


def tensor(*shape: int, dtype: DType = DType.INT8, q: Quant | None = None, data: Any = None) -> Tensor:
    values = None if data is None else np.asarray(data, dtype.numpy).reshape(shape)
    return Tensor("", shape, dtype, None if dtype in (DType.FLOAT32, DType.INT32) else q or quant(), values)


def graph_of(
    tensors: Sequence[Tensor],
    ops: Sequence[tuple[Attrs, Sequence[int], Sequence[int]]],
    inputs: Sequence[int],
    outputs: Sequence[int],
) -> Graph:
    named = (Tensor(f"t{i}", t.shape, t.dtype, t.quant, t.data, source=i) for i, t in enumerate(tensors))
    graph = Graph(
        "small",
        tuple(named),
        tuple(Op(f"op{n}", a, _ids(ins), _ids(outs)) for n, (a, ins, outs) in enumerate(ops)),
        _ids(inputs),
        _ids(outputs),
    )
    verify_graph(graph)
    return graph


def _ids(values: Sequence[int]) -> tuple[TensorId, ...]:
    return tuple(TensorId(v) for v in values)


def kinds(graph: Graph) -> list[str]:
    return [type(op.attrs).__name__ for op in graph.ops]


def clamp_lookup(low: int, high: int) -> Lookup:
    values = np.arange(256, dtype=np.uint8).view(np.int8)
    return Lookup(np.clip(values, low, high).astype(np.int8).view(np.uint8), "RELU6")


def conv1x1(padding: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Conv2D:
    return Conv2D((1, 1), padding, (-128, 127))


def weights(*shape: int) -> Tensor:
    data = np.random.default_rng(0).integers(-127, 128, shape)
    return tensor(*shape, q=quant(scale=0.02), data=data)


def assert_same_outputs(before: Graph, after: Graph) -> None:
    """Outputs are equal, in order, for random inputs; shapes and scales too."""
    verify_graph(after)
    rng = np.random.default_rng(1)
    for _ in range(3):
        inputs = []
        for i in before.inputs:
            t = before.tensors[i]
            if t.dtype is DType.FLOAT32:
                inputs.append(rng.normal(0, 5, t.shape).astype(np.float32))
            else:
                inputs.append(rng.integers(0, 256, t.shape).astype(np.uint8).view(t.dtype.numpy))
        first, second = run(before, inputs), run(after, inputs)
        for a, b in zip(before.outputs, after.outputs, strict=True):
            x, y = first[a], second[b]
            assert x is not None
            assert y is not None
            assert x.dtype == y.dtype
            assert np.array_equal(x, y)
