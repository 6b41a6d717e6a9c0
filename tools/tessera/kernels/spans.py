"""How an operator runs inside a streamed stage: the same constants as for a whole map, another function around them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.ir.attrs import Concatenation, Lookup, Mean, Pad, ResizeBilinear, ResizeNearest
from tessera.ir.graph import DType, Graph, Op
from tessera.kernels.call import Array, KernelCall, SpanKernel, SpanSource, Struct, Value
from tessera.kernels.operands import constant, map_shape, output_of
from tessera.schedule.streamable import Source, Upsample, streamable

SYMBOLS = {
    "tess_conv2d_s8": "tess_conv2d_span_s8",
    "tess_conv2d_1x1_s8": "tess_conv2d_1x1_span_s8",
    "tess_depthwise_conv2d_s8": "tess_depthwise_conv2d_span_s8",
    "tess_avg_pool2d_s8": "tess_avg_pool2d_span_s8",
    "tess_max_pool2d_s8": "tess_max_pool2d_span_s8",
    "tess_add_s8": "tess_add_span_s8",
    "tess_sub_s8": "tess_sub_span_s8",
    "tess_mul_s8": "tess_mul_span_s8",
    "tess_prelu_s8": "tess_prelu_span_s8",
    "tess_lookup_8": "tess_lookup_span_8",
    "tess_softmax_s8": "tess_softmax_span_s8",
    "tess_copy_8": "tess_concatenation_span_8",
    "tess_pad_8": "tess_pad_span_8",
    "tess_resize_nearest_8": "tess_resize_nearest_span_8",
    "tess_resize_bilinear_s8": "tess_resize_bilinear_span_s8",
}
"""Kernel of a layer -> the one that computes spans."""

REDUCTIONS = {
    "tess_mean_s8": "tess_mean_map_span_s8",
    "tess_avg_pool2d_s8": "tess_avg_pool2d_map_span_s8",
    "tess_mean_of_means_s8": "tess_mean_of_means_span_s8",
}


def bind_span(graph: Graph, op: Op, layer: KernelCall) -> SpanKernel:
    """`layer` is how the operator runs on whole maps."""
    described = streamable(graph, op)
    assert described is not None, f"{op.name} runs as a layer only"
    struct = _struct(graph, op, layer)
    sources = tuple(_source(graph, op, source, struct) for source in described.sources)
    symbol = (REDUCTIONS if described.reduces else SYMBOLS)[layer.symbol]
    return SpanKernel(layer.op, layer.kind, symbol, layer.output, struct, sources, described.reduces)


def _struct(graph: Graph, op: Op, layer: KernelCall) -> Struct:
    first = layer.calls[0][0]
    x = graph.tensor(op.inputs[0])
    match op.attrs:
        case Lookup():
            assert isinstance(first, Array)
            return Struct("tess_lookup_span_8_t", (("channels", x.shape[3]), ("table", first)))
        case Concatenation():
            channels = Array("channels", "int32_t", np.array([graph.tensor(t).shape[3] for t in op.inputs]))
            return Struct("tess_concatenation_span_8_t", (("count", len(op.inputs)), ("channels", channels)))
        case Pad() as pad:
            _, _, width, depth = x.shape
            left = pad.amounts[2][0]
            return Struct(
                "tess_pad_span_8_t", (("in_w", width), ("channels", depth), ("pad_left", left), ("value", pad.value))
            )
    assert isinstance(first, Struct)
    fields = dict(first.fields)
    if isinstance(op.attrs, Mean):
        kept = [(name, fields[name]) for name in ("in_zero_point", "out", "zero_point")]
        return Struct("tess_mean_map_s8_t", (("in", map_shape(x)), *kept))
    if "shape" in fields:
        return replace(first, fields=tuple({**fields, "shape": _one_pixel(graph, op)}.items()))
    return first


def _one_pixel(graph: Graph, op: Op) -> Struct:
    """The walk over one pixel of two operands: what repeats has stride 0 from pixel to pixel."""
    shape = graph.tensor(output_of(op)).shape
    strides: list[Value] = []
    for t in op.inputs:
        operand = graph.tensor(t)
        strides.append((shape[3] if operand.shape == shape else 0, 0 if operand.size == 1 else 1))
    return Struct(
        "tess_broadcast_t",
        (("rank", 2), ("dims", (1, shape[3])), ("a_strides", strides[0]), ("b_strides", strides[1])),
    )


def _source(graph: Graph, op: Op, source: Source, struct: Struct) -> SpanSource:
    tensor = graph.tensor(source.tensor)
    if tensor.is_constant:
        assert tensor.dtype is DType.INT8, tensor.name
        role = "ab"[op.inputs.index(source.tensor)]
        return SpanSource(Array(role, "int8_t", constant(tensor)), 1, 0, 0)
    if source.rows is None:
        return SpanSource(source.tensor, 1, 0, 0)
    if not isinstance(source.rows, Upsample):
        return SpanSource(source.tensor, source.rows.kernel, source.rows.stride, source.rows.pad)
    row = dict(struct.fields)["row"]
    assert isinstance(row, Array)
    if isinstance(op.attrs, ResizeNearest):
        return SpanSource(source.tensor, 1, 0, 0, row)
    assert isinstance(op.attrs, ResizeBilinear)
    low, high, _ = row.data.T
    assert np.all((low <= high) & (high <= low + 1)), op.name
    return SpanSource(source.tensor, 2, 0, 0, Array("first_row", "int32_t", np.ascontiguousarray(low)))
