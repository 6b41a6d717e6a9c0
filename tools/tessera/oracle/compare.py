"""A graph after the passes against LiteRT on the file: inputs there and back, and the tensors that must be equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tessera.interpreter.elementwise import dequantize, quantize
from tessera.ir.attrs import Dequantize, Lookup, Quantize
from tessera.ir.graph import DType, Graph, TensorId

Array = NDArray[Any]


def litert_inputs(loaded: Graph, passed: Graph, inputs: Sequence[Array]) -> list[Array]:
    """The file's inputs that make LiteRT see exactly `inputs` of the passed graph.

    Where the passes took a QUANTIZE away, these are floats that quantise back to the same bytes, or bytes ^ 0x80.
    An input that the passed graph lost is zeros.
    """
    given: dict[int, Array] = {}  # by the file's tensor number
    for i, value in zip(passed.inputs, inputs, strict=True):
        source = passed.tensors[i].source
        assert source is not None, passed.tensors[i].name
        given[source] = value
    result = []
    for i in loaded.inputs:
        t = loaded.tensors[i]
        if i in given:
            result.append(given[i])
            continue
        value = np.zeros(t.shape, t.dtype.numpy)
        for op in loaded.ops:
            if op.inputs[:1] == (i,) and op.outputs[0] in given and isinstance(op.attrs, Quantize | Lookup):
                value = _before_quantize(loaded, op.outputs[0], given[op.outputs[0]], t.dtype)
        result.append(value)
    return result


def _before_quantize(loaded: Graph, quantized: TensorId, value: Array, dtype: DType) -> Array:
    if dtype is not DType.FLOAT32:
        return (value.view(np.uint8) ^ np.uint8(0x80)).view(dtype.numpy)
    t = [loaded.tensors[quantized]]
    floats = dequantize(Dequantize(), t, t, [value])
    assert np.array_equal(quantize(Quantize(), t, t, [floats]), value), f"{t[0].name} does not survive its own scale"
    return floats


def expected_tensors(passed: Graph, litert: Sequence[Array | None]) -> dict[TensorId, Array]:
    """What each computed tensor and input of the passed graph that is also in the file must hold: of a tensor that lost
    channels, the others."""
    expected: dict[TensorId, Array] = {}
    for i in (*passed.inputs, *(i for op in passed.ops for i in op.outputs)):
        t = passed.tensors[i]
        value = litert[t.source] if t.source is not None and t.source < len(litert) else None
        if value is not None:
            value = value if t.kept is None else value.take(t.kept, axis=-1)
            flipped = t.dtype is DType.INT8 and value.dtype == np.uint8
            expected[i] = (value ^ np.uint8(0x80)).view(np.int8) if flipped else value
    return expected


@dataclass(frozen=True, slots=True)
class Difference:
    """A tensor that is not equal; `first` is the flat index of its first wrong element."""

    tensor: TensorId
    name: str
    wrong: int
    size: int
    first: int

    def __str__(self) -> str:
        return f"tensor {self.tensor} '{self.name}': {self.wrong} of {self.size} differ, first at {self.first}"


def differences(
    graph: Graph, actual: Mapping[TensorId, Array] | Sequence[Array | None], expected: Mapping[TensorId, Array]
) -> list[Difference]:
    """In the order in which tensors are computed; a missing tensor or another shape or type counts as all wrong."""
    result = []
    for i, theirs in expected.items():
        ours = actual.get(i) if isinstance(actual, Mapping) else actual[i]
        name = graph.tensors[i].name
        if ours is None or ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            result.append(Difference(i, name, theirs.size, theirs.size, 0))
            continue
        a, b = np.ascontiguousarray(ours).reshape(-1), np.ascontiguousarray(theirs).reshape(-1)
        wrong = np.flatnonzero(a.view(np.uint8).reshape(a.size, -1) != b.view(np.uint8).reshape(b.size, -1))
        if wrong.size:
            itemsize = a.dtype.itemsize
            elements = np.unique(wrong // itemsize)
            result.append(Difference(i, name, elements.size, a.size, int(elements[0])))
    return result
