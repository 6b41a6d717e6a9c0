"""DEPTHWISE_CONV_2D with the DSP instructions of Armv7E-M (depthwise_conv2d_dsp.h): which kernel holds, its constants,
and how many channels and columns it takes at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tessera.arith.fixed_point import Ints, wrap32
from tessera.arith.multipliers import conv_multipliers
from tessera.ir.attrs import DepthwiseConv2D
from tessera.ir.graph import Graph, Op, Tensor
from tessera.kernels.call import Array, Function, KernelCall, Scratch, SpanKernel, Struct, Value
from tessera.kernels.dsp.requantization import FULL, packed_requantization
from tessera.kernels.limits import accumulator_ranges
from tessera.kernels.operands import bias_of, centred_weights, constant, map_shape, output_of, s8
from tessera.memory.align import align_up

ACC_BITS = 31  # twice the accumulator is an int32
KERNELS = (3, 5, 7)
STRIDES = (1, 2)

LEAST_COLUMNS = {1: 6, 2: 16}
"""By stride: narrower spans take fewer instructions straight from the map than for weights and rows to be widened."""

LAYER_BYTES = 3072
SPAN_BYTES = 2048
LEAN_BYTES = 512
"""Scratch that may be filled with channels. What is done once for a block costs little from eight channels on, but one
channel at a time takes up to twice the instructions of four. Four of a wide map may need more than these."""


def lower_depthwise_conv2d(graph: Graph, op: Op, call: KernelCall, fast: bool) -> KernelCall:
    channels, planes = _channels(graph, op), _planes(graph, op)
    if channels is None:
        return call
    if planes is not None:
        symbol, turned = "tess_depthwise_conv2d_s8__dsp", fast and planes.goes_along_columns
        struct = _planes_struct(graph, op, planes, channels, *planes.layer_block(fast), turned=turned)
    elif _has_taps(graph, op) and len(channels) % 4 == 0:
        symbol, struct = "tess_depthwise_taps_s8__dsp", _taps_struct(graph, op, channels)
    else:
        return call
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)), Scratch())
    scratch_bytes = depthwise_conv2d_scratch_bytes(graph, op, streamed=False, fast=fast)
    return replace(call, symbol=symbol, calls=(arguments,), scratch_bytes=scratch_bytes)


def lower_depthwise_conv2d_span(graph: Graph, op: Op, kernel: SpanKernel, fast: bool, columns: int) -> SpanKernel:
    """`columns`: of a span."""
    channels = _channels(graph, op)
    if channels is None:
        return kernel
    planes = _span_planes(graph, op, fast, columns)
    if planes is not None:
        struct = _planes_struct(graph, op, planes, channels, *planes.span_block)
        scratch_bytes = planes.scratch_bytes(*planes.span_block)
        return replace(kernel, symbol="tess_depthwise_conv2d_span_s8__dsp", struct=struct, scratch_bytes=scratch_bytes)
    if _has_taps(graph, op):
        return replace(kernel, symbol="tess_depthwise_taps_span_s8__dsp", struct=_taps_struct(graph, op, channels))
    return kernel


def depthwise_conv2d_scratch_bytes(graph: Graph, op: Op, *, streamed: bool, fast: bool) -> int:
    _, _, in_w, _ = graph.tensor(op.inputs[0]).shape
    _, _, out_w, _ = graph.tensor(output_of(op)).shape
    if streamed:
        planes = _span_planes(graph, op, fast, out_w)
        return 0 if planes is None else planes.scratch_bytes(*planes.span_block)
    planes = _planes(graph, op)
    if planes is not None:
        return planes.scratch_bytes(*planes.layer_block(fast))
    return 4 * graph.tensor(op.inputs[1]).shape[1] * in_w  # of taps: the rows of a window, of four channels


def _span_planes(graph: Graph, op: Op, fast: bool, columns: int) -> _Planes | None:
    """None where spans are better computed straight from the map, or must be."""
    planes = _planes(graph, op) if fast else None
    if planes is None or not _has_taps(graph, op):
        return planes
    return planes if min(columns, planes.out_w) >= LEAST_COLUMNS[planes.stride] else None


@dataclass(frozen=True, slots=True)
class _Planes:
    """Shapes as the kernel sees them."""

    channels: int
    out_h: int
    out_w: int
    kernel: int
    stride: int
    same_shape: bool  # of input and output

    @property
    def goes_along_columns(self) -> bool:
        """Groups of outputs fit a map better whose columns are taken for rows. As a layer, and in the input's place
        only where pixels come to lie where they came from."""
        return self.same_shape and self.out_h * _groups(self.out_w) > self.out_w * _groups(self.out_h)

    def scratch_bytes(self, block: int, columns: int) -> int:
        """Streams of weights, and `kernel` rows of planes that are as wide as the windows of `columns` outputs."""
        plane_bytes = align_up(2 * ((columns - 1) * self.stride + self.kernel))
        stream_bytes = 4 * self.kernel * (self.kernel - 1) + 16
        return block * (stream_bytes + self.kernel * plane_bytes)

    def layer_block(self, fast: bool) -> tuple[int, int]:
        """(channels, outputs) at a time."""
        if fast:
            columns = self.out_h if self.goes_along_columns else self.out_w
            return self._block(columns, LAYER_BYTES), columns
        most = LEAN_BYTES // self.scratch_bytes(1, self.out_w)
        return min(self.channels, 4, max(1, most)), self.out_w

    @property
    def span_block(self) -> tuple[int, int]:
        """(channels, outputs) at a time."""
        columns = self.out_w
        while columns > 4 and self.scratch_bytes(4, columns) > SPAN_BYTES:
            columns = align_up(columns // 2)
        return self._block(columns, SPAN_BYTES), columns

    def _block(self, columns: int, most_bytes: int) -> int:
        """Blocks of equal size, of whole groups of four channels."""
        groups = -(-self.channels // 4)
        most = max(1, most_bytes // self.scratch_bytes(4, columns))
        blocks = -(-groups // most)
        return min(self.channels, 4 * -(-groups // blocks))


def _groups(outputs: int) -> float:
    """Instructions of a row in groups of four outputs, estimated: the rest of a row, and what a row costs whatever its
    length."""
    return outputs // 4 + (0, 0.35, 0.6, 0.9)[outputs % 4] + 0.3


def _planes(graph: Graph, op: Op) -> _Planes | None:
    """None where there is no kernel for these shapes."""
    attrs = _attrs(op)
    _, kernel_h, kernel_w, channels = graph.tensor(op.inputs[1]).shape
    (stride_h, stride_w), out = attrs.stride, graph.tensor(output_of(op)).shape
    _, out_h, out_w, _ = out
    known = kernel_h == kernel_w in KERNELS and stride_h == stride_w in STRIDES and attrs.depth_multiplier == 1
    same_shape = graph.tensor(op.inputs[0]).shape == out
    return _Planes(channels, out_h, out_w, kernel_h, stride_h, same_shape) if known else None


def _attrs(op: Op) -> DepthwiseConv2D:
    assert isinstance(op.attrs, DepthwiseConv2D)
    return op.attrs


def _planes_struct(
    graph: Graph, op: Op, planes: _Planes, channels: Ints, block: int, columns: int, *, turned: bool = False
) -> Struct:
    """`turned`: along columns."""
    attrs, kernel = _attrs(op), f"{planes.kernel}x{planes.kernel}"
    x, w, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    doubled = wrap32(np.concatenate([2 * channels[:, :1], channels[:, 1:]], axis=1))  # sums bring all back to 32 bits
    pads = (attrs.padding[0], attrs.padding[2])
    return Struct(
        "tess_depthwise_conv2d_s8_dsp_t",
        (
            *_walk("in", x, turned),
            *_walk("out", out, turned),
            ("kernel", planes.kernel),
            ("stride", planes.stride),
            ("pad_top", pads[turned]),
            ("pad_left", pads[not turned]),
            ("in_zero_point", x.q.zero_point),
            ("weights_zero_point", w.q.zero_point),
            ("min", attrs.clamp[0]),
            ("max", attrs.clamp[1]),
            ("block", block),
            ("columns", columns),
            ("weights", Array("weights", "int8_t", _by_channel(constant(w), turned))),
            ("channels", Array("channels", "tess_depthwise_channel_t", doubled)),
            ("stream", Function(f"tess_depthwise_stream_{kernel}_s8__dsp")),
            ("row", Function(f"tess_depthwise_row_{kernel}_s{planes.stride}_{_variant(graph, op)}_s8__dsp")),
        ),
    )


def _walk(name: str, tensor: Tensor, turned: bool) -> tuple[tuple[str, Value], ...]:
    """Shape and steps of a map."""
    _, h, w, c = tensor.shape
    if turned:
        shape = Struct("tess_shape_t", (("h", w), ("w", h), ("c", c)))
        return ((name, shape), (f"{name}_pixel_bytes", w * c), (f"{name}_row_bytes", c))
    return ((name, map_shape(tensor)), (f"{name}_pixel_bytes", c), (f"{name}_row_bytes", w * c))


def _by_channel(weights: NDArray[np.int8], turned: bool) -> NDArray[np.int8]:
    """[1, kernel, kernel, channels] -> [channels, kernel, kernel]"""
    return np.ascontiguousarray(weights[0].transpose(2, 1, 0) if turned else weights[0].transpose(2, 0, 1))


def _has_taps(graph: Graph, op: Op) -> bool:
    """Whether there is a kernel that reads the map as it is."""
    w = graph.tensor(op.inputs[1])
    return _attrs(op).depth_multiplier == 1 and w.shape[3] >= 4 and w.q.zero_point == 0


def _taps_struct(graph: Graph, op: Op, channels: Ints) -> Struct:
    attrs = _attrs(op)
    x, w, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    _, kernel_h, kernel_w, depth = w.shape
    raw = np.concatenate([_bias(graph, op)[:, None], channels[:, 1:]], axis=1)
    stream = np.stack([_four_channels(constant(w)[0], raw, min(c, depth - 4)) for c in range(0, depth, 4)])
    variant = _variant(graph, op)
    pixels = Function(f"tess_depthwise_pixels_{kernel_h}x{kernel_w}_{variant}_s8__dsp")
    return Struct(
        "tess_depthwise_taps_s8_dsp_t",
        (
            ("in", map_shape(x)),
            ("out", map_shape(out)),
            ("kernel_h", kernel_h),
            ("kernel_w", kernel_w),
            ("stride_h", attrs.stride[0]),
            ("stride_w", attrs.stride[1]),
            ("pad_top", attrs.padding[0]),
            ("pad_left", attrs.padding[2]),
            ("in_zero_point", x.q.zero_point),
            ("min", attrs.clamp[0]),
            ("max", attrs.clamp[1]),
            ("words", stream.shape[1]),
            ("stream", Array("stream", "int32_t", stream)),
            ("window", Function(f"tess_depthwise_window_{variant}_s8__dsp")),
            ("pixels", pixels if kernel_h == kernel_w in KERNELS else None),
        ),
    )


def _four_channels(weights: NDArray[np.int8], channels: Ints, first: int) -> NDArray[np.int32]:
    """What the stream of a tess_depthwise_taps_s8_dsp_t holds of channels first .. first + 3."""
    four, constants = weights[:, :, first : first + 4], channels[first : first + 4]
    height, width, _ = four.shape
    odd = four[:, width - width % 2 :]
    pairs = four[:, : width - width % 2].reshape(height, -1, 2, 2, 2)  # [row][pair][tap][half][channel of a half]
    taps = np.concatenate([pairs.transpose(0, 1, 3, 2, 4).reshape(height, -1), odd.reshape(height, -1)], axis=1)
    words = np.ascontiguousarray(taps).reshape(-1).view("<i4")
    return np.concatenate([wrap32(constants[:, 0]), words, wrap32(constants[:, 1:]).reshape(-1)]).astype(np.int32)


def _variant(graph: Graph, op: Op) -> str:
    """Of the requantization, as in names of functions."""
    clamp, hides = _attrs(op).clamp, _attrs(op).clamp[0] >= graph.tensor(output_of(op)).q.zero_point
    if clamp == FULL:
        return "relu" if hides else "linear"
    return "relu_clamp" if hides else "clamp"


def _bias(graph: Graph, op: Op) -> Ints:
    bias = bias_of(graph, op)
    return np.zeros(graph.tensor(op.inputs[1]).shape[3], np.int64) if bias is None else bias.astype(np.int64)


def _channels(graph: Graph, op: Op) -> Ints | None:
    """[channels, 4] bias with the zero point of the input, multiplier, offset, shift; None where a channel has no such
    form."""
    attrs = _attrs(op)
    x, w, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    sums = centred_weights(graph, op).sum(axis=(0, 1, 2))
    folded = _bias(graph, op) - x.q.zero_point * sums
    multipliers, shifts = conv_multipliers(x.q, w.q, out.q, len(sums), attrs.float32_product)
    ranges = accumulator_ranges(graph, op)
    requantization = packed_requantization(ranges, multipliers, shifts, out.q.zero_point, attrs.clamp, ACC_BITS)
    if requantization is None:
        return None
    return np.concatenate([folded[:, None], requantization], axis=1)
