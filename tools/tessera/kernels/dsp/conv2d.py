"""CONV_2D with the DSP instructions of Armv7E-M (conv2d_dsp.h): which variant holds, its weights as it reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tessera.arith.fixed_point import Ints, wrap32
from tessera.arith.multipliers import conv_multipliers
from tessera.ir.attrs import Conv2D
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Array, Function, KernelCall, Scratch, SpanKernel, Struct
from tessera.kernels.dsp.requantization import FULL, packed_requantization
from tessera.kernels.dsp.weight_words import Words, tap_order, weight_words
from tessera.kernels.limits import accumulator_ranges
from tessera.kernels.operands import bias_of, centred_weights, output_of, s8
from tessera.memory.align import align_up
from tessera.memory.overlap import is_pointwise

ACC_BITS = 24  # 256 times the accumulator is an int32
CHUNK_WORDS = 127  # TESS_CONV2D_DSP_CHUNK_WORDS
MOST_PIXELS = (4, 2, 1)  # that a kernel takes at a time


def lower_conv2d(graph: Graph, op: Op, call: KernelCall, fast: bool) -> KernelCall:
    attrs = _attrs(op)
    window = _window(graph, op, attrs, as_one_row=is_pointwise(graph, op, attrs))
    struct = _struct(graph, op, attrs, window) if fast else None
    if struct is None:
        return call
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)), Scratch())
    return replace(call, symbol="tess_conv2d_s8__dsp", calls=(arguments,), scratch_bytes=window.scratch_bytes)


def lower_conv2d_span(graph: Graph, op: Op, kernel: SpanKernel, fast: bool) -> SpanKernel:
    attrs = _attrs(op)
    window = _window(graph, op, attrs, as_one_row=False)
    struct = _struct(graph, op, attrs, window) if fast else None
    if struct is None:
        return kernel
    return replace(kernel, symbol="tess_conv2d_span_s8__dsp", struct=struct, scratch_bytes=window.scratch_bytes)


def conv2d_scratch_bytes(graph: Graph, op: Op, *, streamed: bool, fast: bool) -> int:
    attrs = _attrs(op)
    if not fast:
        return 0
    return _window(graph, op, attrs, as_one_row=not streamed and is_pointwise(graph, op, attrs)).scratch_bytes


def _attrs(op: Op) -> Conv2D:
    assert isinstance(op.attrs, Conv2D)
    return op.attrs


@dataclass(frozen=True, slots=True)
class _Window:
    """Shapes as the kernel sees them."""

    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    kernel_h: int
    kernel_w: int
    stride: tuple[int, int]
    pad_top: int
    pad_left: int

    @property
    def is_rgb(self) -> bool:
        return (self.kernel_h, self.kernel_w, self.in_c) == (3, 3, 3)

    @property
    def order(self) -> Ints:
        """Of the weights of an output channel, see `tap_order`."""
        if not self.is_rgb:
            return tap_order(self.kernel_h, self.kernel_w * self.in_c)
        rows = 9 * np.arange(3)[:, None] + np.arange(8)
        return np.array([*rows.reshape(-1), 8, 17, 26, -1])

    @property
    def words(self) -> int:
        return 7 if self.is_rgb else self.kernel_h * -(-self.kernel_w * self.in_c // 4)

    @property
    def pixels(self) -> int:
        return next(n for n in MOST_PIXELS if n <= self.out_w)

    @property
    def strip_bytes(self) -> int:
        """Rows of neighbouring windows, copied where a part of them lies in the padding; a row of less than four bytes
        also where a word would go beyond the map."""
        taps = self.kernel_w * self.in_c
        right = (self.out_w - 1) * self.stride[1] - self.pad_left + self.kernel_w
        bottom = (self.out_h - 1) * self.stride[0] - self.pad_top + self.kernel_h
        beside = self.pad_left > 0 or right > self.in_w
        steps = (self.pixels - 1) * self.stride[1] * self.in_c
        if self.is_rgb:
            return 3 * (steps + taps) if beside or self.pad_top > 0 or bottom > self.in_h else 0
        return steps + max(taps, 4) if beside or taps < 4 else 0

    @property
    def scratch_bytes(self) -> int:
        return 8 * self.pixels * self.words + align_up(self.strip_bytes)


def _window(graph: Graph, op: Op, attrs: Conv2D, *, as_one_row: bool) -> _Window:
    x, weights, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    out_c, kernel_h, kernel_w, in_c = weights.shape
    (in_h, in_w), (out_h, out_w) = x.shape[1:3], out.shape[1:3]
    if as_one_row:
        in_h, in_w = out_h, out_w = 1, out.size // out_c
    pad_top, _, pad_left, _ = attrs.padding
    return _Window(in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w, attrs.stride, pad_top, pad_left)


def _struct(graph: Graph, op: Op, attrs: Conv2D, window: _Window) -> Struct | None:
    packed = _packed_weights(graph, op, attrs, window)
    if packed is None:
        return None
    variant, data = packed
    expand = "tess_conv2d_expand_3x3x3_s8__dsp" if window.is_rgb else "tess_conv2d_expand_s8__dsp"
    return Struct(
        "tess_conv2d_s8_dsp_t",
        (
            ("in", _shape(window.in_h, window.in_w, window.in_c)),
            ("out", _shape(window.out_h, window.out_w, window.out_c)),
            ("kernel_h", window.kernel_h),
            ("kernel_w", window.kernel_w),
            ("stride_h", window.stride[0]),
            ("stride_w", window.stride[1]),
            ("pad_top", window.pad_top),
            ("pad_left", window.pad_left),
            ("in_zero_point", graph.tensor(op.inputs[0]).q.zero_point),
            ("pixels", window.pixels),
            ("words", window.words),
            ("expand", Function(expand)),
            ("multiply", Function(f"tess_conv2d_multiply_{variant}_s8__dsp")),
            ("weights", Array("words", "int32_t", data)),
            ("zero_point", graph.tensor(output_of(op)).q.zero_point),
            ("min", attrs.clamp[0]),
            ("max", attrs.clamp[1]),
        ),
    )


def _shape(h: int, w: int, c: int) -> Struct:
    return Struct("tess_shape_t", (("h", h), ("w", w), ("c", c)))


@dataclass(frozen=True, slots=True, eq=False)
class _Channels:
    """What the kernels need of the output channels, which are the first axis of every array."""

    words: Words
    odd_sums: Ints  # of the weights w1 and w3 of each word
    bias: Ints  # with the zero point of the input
    multipliers: Ints
    shifts: Ints

    def __getitem__(self, some: slice) -> _Channels:
        return _Channels(
            self.words[some], self.odd_sums[some], self.bias[some], self.multipliers[some], self.shifts[some]
        )


def _packed_weights(graph: Graph, op: Op, attrs: Conv2D, window: _Window) -> tuple[str, NDArray[np.int32]] | None:
    """(variant, stream of words); None where weights have no such form."""
    x, w, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    weights = centred_weights(graph, op).reshape(window.out_c, -1)
    found = weight_words(weights, window.order)
    if found is None:
        return None
    bias = bias_of(graph, op)
    folded = (0 if bias is None else bias.astype(np.int64)) - x.q.zero_point * weights.sum(axis=1)
    multipliers, shifts = conv_multipliers(x.q, w.q, out.q, window.out_c, attrs.float32_product)
    channels = _Channels(*found, folded, multipliers, shifts)
    zero_point, clamp, even = out.q.zero_point, attrs.clamp, window.out_c // 2 * 2
    ranges = accumulator_ranges(graph, op)
    fast = packed_requantization(ranges, multipliers, shifts, zero_point, clamp, ACC_BITS)
    if fast is None:
        variant, pairs = "wide", _wide(channels[:even], 2)
    else:
        variant = (
            ("relu" if clamp[0] >= zero_point else "linear")
            if clamp == FULL
            else ("relu_clamp" if clamp[0] >= zero_point else "clamp")
        )
        pairs = _fast(channels[:even], fast[:even])
    stream = np.concatenate([pairs, _wide(channels[even:], 1)])
    return variant, wrap32(stream).astype(np.int32)


def _fast(channels: _Channels, requantization: Ints) -> Words:
    constant = 256 * channels.bias - 127 * channels.odd_sums.sum(axis=1)
    parts = [_interleaved(constant[:, None], 2), _interleaved(channels.words, 2), requantization.reshape(-1, 6)]
    return np.concatenate(parts, axis=1).reshape(-1)


def _wide(channels: _Channels, group: int) -> Words:
    parts = []
    for begin in range(0, channels.words.shape[1], CHUNK_WORDS):
        chunk = slice(begin, begin + CHUNK_WORDS)
        constant = -127 * channels.odd_sums[:, chunk].sum(axis=1)
        parts += [_interleaved(constant[:, None], group), _interleaved(channels.words[:, chunk], group)]
    each = np.stack([channels.bias, channels.multipliers, channels.shifts], axis=1)
    return np.concatenate([*parts, each.reshape(-1, 3 * group)], axis=1).reshape(-1)


def _interleaved(values: Words, group: int) -> Words:
    """[channels, n] -> [channels / group, n * group], the group's values side by side."""
    return values.reshape(-1, group, values.shape[1]).transpose(0, 2, 1).reshape(-1, group * values.shape[1])
