"""CONV_2D on four pixels at a time, expanded in scratch: conv2d_dsp.h."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.arith.fixed_point import Ints, wrap32
from tessera.ir.attrs import Conv2D
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Array, Function, Struct
from tessera.kernels.dsp.conv2d_channels import Channels, channels_of, interleaved, rounding
from tessera.kernels.dsp.conv2d_window import Window
from tessera.kernels.dsp.fine_requantization import ACC_BITS
from tessera.kernels.dsp.weight_words import Words, weight_words
from tessera.kernels.operands import centred_weights, output_of

CHUNK_WORDS = 127  # TESS_CONV2D_DSP_CHUNK_WORDS


def fast_struct(graph: Graph, op: Op, window: Window) -> Struct | None:
    assert isinstance(op.attrs, Conv2D)
    order = window.rgb_order if window.is_rgb else window.order
    channels, zero_point_weights = channels_of(graph, op, order), None
    if channels is not None and window.centred:
        channels, zero_point_weights = _centred(graph, op, order, channels)
    if channels is None:
        return None
    zero_point, clamp = graph.tensor(output_of(op)).q.zero_point, op.attrs.clamp
    multiply = "wide" if channels.packed is None else "packed"
    kernels = "raw" if channels.packed is None else rounding(zero_point, clamp)
    expand = f"tess_conv2d_expand{'_3x3x3' * window.is_rgb}{'_centred' * window.centred}_s8__dsp"
    return Struct(
        "tess_conv2d_s8_dsp_t",
        (
            *window.fields,
            ("in_zero_point", graph.tensor(op.inputs[0]).q.zero_point),
            ("pixels", window.pixels),
            ("words", channels.words.shape[1]),
            ("expand", Function(expand)),
            ("multiply", Function(f"tess_conv2d_multiply_{multiply}_s8__dsp")),
            ("kernels", Function(f"tess_gemm_{kernels}_s8__dsp")),
            ("weights", Array("words", "int32_t", wrap32(_stream(channels)).astype(np.int32))),
            ("zero_point_weights", zero_point_weights),
            ("zero_point", zero_point),
            ("min", clamp[0]),
            ("max", clamp[1]),
        ),
    )


def _centred(graph: Graph, op: Op, order: Ints, channels: Channels) -> tuple[Channels | None, Array | None]:
    """Channels with a last word for the sum of the window, and what makes that sum; None where it is too large, or the
    sums of a channel that is not packed may be."""
    weights = centred_weights(graph, op).reshape(len(channels.words), -1)
    zero_point, taps = graph.tensor(op.inputs[1]).q.zero_point, weights.shape[1]
    found = weight_words(np.full((1, taps), -zero_point), order)
    single = channels.words.shape[1] < CHUNK_WORDS and 128 * np.abs(weights).sum(axis=1).max() < 1 << (ACC_BITS - 1)
    if found is None or abs(zero_point) * 128 * taps >= 1 << 21:
        return None, None
    if channels.packed is None or (len(weights) % 2 == 1 and not single):
        return None, None
    words, odd_sums = found
    more = replace(
        channels,
        words=np.pad(channels.words, ((0, 0), (0, 1)), constant_values=256 + (64 * 256 << 16)),
        odd_sums=np.pad(channels.odd_sums, ((0, 0), (0, 1))),
    )
    stream = np.concatenate([[-127 * odd_sums.sum()], words[0]])
    return more, Array("zero_point_words", "int32_t", stream.astype(np.int32))


def _stream(channels: Channels) -> Words:
    even = len(channels.words) // 2 * 2
    pairs, last = channels[:even], channels[even:]
    return np.concatenate(
        [_wide(pairs, 2) if pairs.packed is None else _packed_pairs(pairs, pairs.packed), _wide(last, 1)]
    )


def _packed_pairs(channels: Channels, packed: Words) -> Words:
    parts = [interleaved(channels.start[:, None], 2), interleaved(channels.words, 2), packed.reshape(-1, 6)]
    return np.concatenate(parts, axis=1).reshape(-1)


def _wide(channels: Channels, group: int) -> Words:
    parts = []
    for begin in range(0, channels.words.shape[1], CHUNK_WORDS):
        chunk = slice(begin, begin + CHUNK_WORDS)
        start = -127 * channels.odd_sums[:, chunk].sum(axis=1)
        parts += [interleaved(start[:, None], group), interleaved(channels.words[:, chunk], group)]
    return np.concatenate([*parts, channels.wide.reshape(-1, 3 * group)], axis=1).reshape(-1)
