"""Quantisation at the edges of a graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.ir.attrs import Dequantize, Lookup, Quantize
from tessera.ir.graph import DType, Graph, Op, TensorId
from tessera.passes.rewire import rewire

_FLIP = (np.arange(256) ^ 0x80).astype(np.uint8)


def strip_edges(graph: Graph) -> Graph:
    """Before: float32 in -> QUANTIZE -> int8 ... int8 -> DEQUANTIZE -> float32 out. After: int8 in ... int8 out.

    A QUANTIZE between uint8 and int8 that only moves the zero point by 128 goes as well: the bytes differ in one bit.
    """
    inputs, instead = _strip_inputs(graph)
    gone = set(instead.values()) | set(instead)
    kept = tuple(op for op in graph.ops if not (_is_edge(graph, op, Quantize) and op.outputs[0] in gone))
    graph = rewire(replace(graph, inputs=inputs), kept, instead)
    return _strip_outputs(graph)


def _strip_inputs(graph: Graph) -> tuple[tuple[TensorId, ...], dict[TensorId, TensorId]]:
    """(new inputs, tensors to replace by others): the first QUANTIZE's output becomes the input, equal ones join it."""
    readers = graph.consumers()
    inputs: list[TensorId] = []
    instead: dict[TensorId, TensorId] = {}
    for i in graph.inputs:
        ops = [graph.ops[n] for n in readers.get(i, [])]
        strippable = ops and all(_is_edge(graph, op, Quantize) for op in ops) and i not in graph.outputs
        first = ops[0].outputs[0] if ops else i
        quant = graph.tensors[first].quant
        same = all(quant is not None and quant.same_as(graph.tensors[op.outputs[0]].quant) for op in ops)
        if strippable and same:
            inputs.append(first)
            instead.update({op.outputs[0]: first for op in ops[1:]})
            instead[i] = first  # nothing reads it any more; marks the operators that go
        else:
            inputs.append(i)
    return tuple(inputs), instead


def _strip_outputs(graph: Graph) -> Graph:
    producers = graph.producer()
    outputs = []
    for i in graph.outputs:
        op = graph.ops[producers[i]] if i in producers else None
        strippable = op is not None and _is_edge(graph, op, Dequantize) and op.inputs[0] not in graph.inputs
        outputs.append(op.inputs[0] if op is not None and strippable else i)
    readers = {i for op in graph.ops for i in op.inputs} | set(outputs)
    kept = tuple(op for op in graph.ops if not _is_edge(graph, op, Dequantize) or readers.intersection(op.outputs))
    return replace(graph, ops=kept, outputs=tuple(outputs))


def _is_edge(graph: Graph, op: Op, kind: type[Quantize] | type[Dequantize]) -> bool:
    if isinstance(op.attrs, kind):
        return True
    types = {graph.tensors[op.inputs[0]].dtype, graph.tensors[op.outputs[0]].dtype}
    flips = isinstance(op.attrs, Lookup) and op.attrs.origin == "QUANTIZE" and np.array_equal(op.attrs.table, _FLIP)
    return flips and types == {DType.INT8, DType.UINT8}
