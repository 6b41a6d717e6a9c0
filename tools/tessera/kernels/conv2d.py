"""CONV_2D and DEPTHWISE_CONV_2D."""

from __future__ import annotations

from dataclasses import replace

from tessera.arith.multipliers import conv_multipliers
from tessera.ir.attrs import Clamp, Conv2D, DepthwiseConv2D
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Array, KernelCall, Scratch, Struct, Value
from tessera.kernels.operands import bias_field, constant, map_shape, output_of, requant, s8
from tessera.kernels.scratch import portable_scratch_bytes
from tessera.memory.overlap import is_pointwise

Fields = tuple[tuple[str, Value], ...]


def bind_conv2d(graph: Graph, op: Op, attrs: Conv2D) -> KernelCall:
    if is_pointwise(graph, op, attrs):
        return _bind_1x1(graph, op, attrs)
    weights = graph.tensor(op.inputs[1])
    fields = (
        *_window(graph, op, weights.shape[1:3], attrs),
        *_arithmetic(graph, op, weights.shape[0], attrs.clamp, attrs.float32_product),
    )
    return _whole_map(graph, op, "Conv2D", "tess_conv2d_s8", fields)


def bind_depthwise_conv2d(graph: Graph, op: Op, attrs: DepthwiseConv2D) -> KernelCall:
    weights = graph.tensor(op.inputs[1])
    fields = (
        *_window(graph, op, weights.shape[1:3], attrs),
        ("depth_multiplier", attrs.depth_multiplier),
        *_arithmetic(graph, op, weights.shape[3], attrs.clamp, attrs.float32_product),
    )
    call = _whole_map(graph, op, "DepthwiseConv2D", "tess_depthwise_conv2d_s8", fields)
    (arguments,) = call.calls
    return replace(call, calls=((*arguments, Scratch()),), scratch_bytes=portable_scratch_bytes(graph, op))


def _bind_1x1(graph: Graph, op: Op, attrs: Conv2D) -> KernelCall:
    out = graph.tensor(output_of(op))
    channels, _, _, depth = graph.tensor(op.inputs[1]).shape
    fields = (
        ("in_c", depth),
        ("out_c", channels),
        *_arithmetic(graph, op, channels, attrs.clamp, attrs.float32_product),
    )
    struct = Struct("tess_conv2d_1x1_s8_t", fields)
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)), out.size // channels)
    return KernelCall(op.name, "Conv2D", "tess_conv2d_1x1_s8", output_of(op), (arguments,))


def _window(graph: Graph, op: Op, kernel: tuple[int, ...], attrs: Conv2D | DepthwiseConv2D) -> Fields:
    return (
        ("in", map_shape(graph.tensor(op.inputs[0]))),
        ("out", map_shape(graph.tensor(output_of(op)))),
        ("kernel_h", kernel[0]),
        ("kernel_w", kernel[1]),
        ("stride_h", attrs.stride[0]),
        ("stride_w", attrs.stride[1]),
        ("pad_top", attrs.padding[0]),
        ("pad_left", attrs.padding[2]),
    )


def _arithmetic(graph: Graph, op: Op, channels: int, clamp: Clamp, float32_product: bool) -> Fields:
    x, w, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    multipliers, shifts = conv_multipliers(x.q, w.q, out.q, channels, float32_product)
    return (
        ("in_zero_point", x.q.zero_point),
        ("weights_zero_point", w.q.zero_point),
        ("weights", Array("weights", "int8_t", constant(w))),
        ("bias", bias_field(graph, op)),
        ("requant", requant(op, out, multipliers, shifts, clamp)),
    )


def _whole_map(graph: Graph, op: Op, kind: str, symbol: str, fields: Fields) -> KernelCall:
    arguments = (Struct(f"{symbol}_t", fields), s8(graph, op.inputs[0]), s8(graph, output_of(op)))
    return KernelCall(op.name, kind, symbol, output_of(op), (arguments,))
