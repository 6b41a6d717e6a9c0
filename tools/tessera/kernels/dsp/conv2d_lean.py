"""CONV_2D without scratch: conv2d_lean_dsp.h."""

from __future__ import annotations

import numpy as np

from tessera.arith.fixed_point import wrap32
from tessera.ir.attrs import Conv2D
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Array, Function, Struct
from tessera.kernels.dsp.conv2d_channels import Channels, channels_of, interleaved, rounding
from tessera.kernels.dsp.conv2d_window import Window
from tessera.kernels.dsp.fine_requantization import ACC_BITS
from tessera.kernels.dsp.requantization import FULL
from tessera.kernels.dsp.weight_words import Words
from tessera.kernels.operands import centred_weights, output_of


def lean_struct(graph: Graph, op: Op, window: Window) -> Struct | None:
    assert isinstance(op.attrs, Conv2D)
    channels = None if window.centred else channels_of(graph, op, window.order)
    if channels is None or (channels.packed is None and _most_without_bias(graph, op) >= 1 << (ACC_BITS - 1)):
        return None
    zero_point, clamp = graph.tensor(output_of(op)).q.zero_point, op.attrs.clamp
    row = "row_" * (window.kernel_h == 1 and not window.is_padded_vertically)
    kernels = None if channels.packed is None else f"tess_gemm_lean_{row}{rounding(zero_point, clamp)}_s8__dsp"
    return Struct(
        "tess_conv2d_lean_s8_dsp_t",
        (
            *window.fields,
            ("in_zero_point", graph.tensor(op.inputs[0]).q.zero_point),
            ("words", channels.words.shape[1]),
            ("kernels", None if kernels is None else Function(kernels)),
            ("weights", Array("words", "int32_t", wrap32(_stream(channels)).astype(np.int32))),
            ("offset", 0 if clamp == FULL else clamp[0]),
            ("zero_point", zero_point),
            ("min", clamp[0]),
            ("max", clamp[1]),
        ),
    )


def _most_without_bias(graph: Graph, op: Op) -> int:
    """The largest |sum of products of weights and bytes| that an input could give."""
    weights = centred_weights(graph, op)
    return 128 * int(np.abs(weights).reshape(len(weights), -1).sum(axis=1).max())


def _stream(channels: Channels) -> Words:
    fours = len(channels.words) // 4 * 4
    return np.concatenate([_groups(channels[:fours], 4), _groups(channels[fours:], 1)])


def _groups(channels: Channels, group: int) -> Words:
    wide = channels.packed is None
    start = -127 * channels.odd_sums.sum(axis=1) if wide else channels.start
    each = channels.wide if channels.packed is None else channels.packed
    parts = [interleaved(start[:, None], group), interleaved(channels.words, group), each.reshape(-1, 3 * group)]
    return np.concatenate(parts, axis=1).reshape(-1)
