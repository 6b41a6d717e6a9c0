"""Legacy uint8 graphs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from tessera.ir.attrs import CLAMPING, Attrs, AvgPool2D, Lookup, Pad
from tessera.ir.graph import DType, Graph, Op, Tensor, TensorId

_FLIP = (np.arange(256) ^ 0x80).astype(np.uint8)  # uint8 byte <-> int8 byte of the same real value


def uint8_to_int8(graph: Graph) -> Graph:
    """Before: uint8 tensors with zero point z. After: int8 with z - 128, the same real values, every byte ^ 0x80.

    Weights become int8 too and keep a zero point. Inputs and outputs of the graph stay uint8, with a table between. A
    tensor that was uint8 keeps its `source`: compare its bytes ^ 0x80.
    """
    was_uint8 = {TensorId(i) for i, t in enumerate(graph.tensors) if t.dtype is DType.UINT8}
    if not was_uint8:
        return graph
    tensors = list(graph.tensors)
    twin: dict[TensorId, TensorId] = {}  # uint8 tensor at an edge -> its int8 form
    for i in dict.fromkeys((*graph.inputs, *graph.outputs)):
        if i in was_uint8 and not tensors[i].is_constant:
            tensors.append(replace(_as_int8(tensors[i]), name=f"{tensors[i].name}_int8"))
            twin[i] = TensorId(len(tensors) - 1)
    for i in was_uint8 - twin.keys():
        tensors[i] = _as_int8(tensors[i])

    def edge(source: TensorId, target: TensorId, name: str) -> Op:
        return Op(name, Lookup(_FLIP, "UINT8_EDGE"), (source,), (target,))

    inputs = dict.fromkeys(i for i in graph.inputs if i in twin)
    outputs = dict.fromkeys(i for i in graph.outputs if i in twin and i not in inputs)
    ops = [edge(i, twin[i], f"input_{n}_to_int8") for n, i in enumerate(inputs)]
    ops += [_converted(op, was_uint8, twin) for op in graph.ops]
    ops += [edge(twin[i], i, f"output_{n}_to_uint8") for n, i in enumerate(outputs)]
    return replace(graph, tensors=tuple(tensors), ops=tuple(_uniquely_named(ops)))


def _as_int8(t: Tensor) -> Tensor:
    quant = replace(t.quant, zero_point=t.quant.zero_point - 128) if t.quant is not None else None
    data = (t.data ^ np.uint8(0x80)).view(np.int8) if t.data is not None else None
    return replace(t, dtype=DType.INT8, quant=quant, data=data)


def _converted(op: Op, was_uint8: set[TensorId], twin: dict[TensorId, TensorId]) -> Op:
    reads, writes = op.inputs[0] in was_uint8, op.outputs[0] in was_uint8
    return replace(
        op,
        attrs=_converted_attrs(op.attrs, reads, writes),
        inputs=tuple(twin.get(i, i) for i in op.inputs),
        outputs=tuple(twin.get(i, i) for i in op.outputs),
    )


def _converted_attrs(attrs: Attrs, reads: bool, writes: bool) -> Attrs:
    if isinstance(attrs, Lookup):
        table = attrs.table[_FLIP] if reads else attrs.table
        return replace(attrs, table=table ^ np.uint8(0x80) if writes else table)
    if not writes:
        return attrs
    if isinstance(attrs, Pad):
        return replace(attrs, value=attrs.value - 128)
    if isinstance(attrs, CLAMPING):
        attrs = replace(attrs, clamp=(attrs.clamp[0] - 128, attrs.clamp[1] - 128))
    return replace(attrs, raw_zero=attrs.raw_zero - 128) if isinstance(attrs, AvgPool2D) else attrs


def _uniquely_named(ops: Iterable[Op]) -> list[Op]:
    taken: set[str] = set()
    result = []
    for op in ops:
        name = op.name
        while name in taken:
            name += "_"
        taken.add(name)
        result.append(replace(op, name=name))
    return result
