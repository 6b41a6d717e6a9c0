"""FULLY_CONNECTED with the DSP instructions of Armv7E-M (fully_connected_dsp.h)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tessera.arith.fixed_point import Ints, wrap32
from tessera.arith.multipliers import fully_connected_reals
from tessera.arith.single_rounding import single_rounding
from tessera.errors import UnsupportedModel
from tessera.ir.attrs import FullyConnected
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Array, KernelCall, Scratch, Struct
from tessera.kernels.dsp.weight_words import weight_words
from tessera.kernels.limits import accumulator_bounds, accumulator_ranges
from tessera.kernels.operands import bias_of, centred_weights, output_of, s8

_GROUP = 4  # channels that are computed together
_LEAST_EXPANDED = 4 * _GROUP  # channels from which on it pays to expand the input
_MOST_SHIFT = 23  # beyond the high word of the product: the zero point times 2^shift stays in 31 bits


def lower_fully_connected(graph: Graph, op: Op, call: KernelCall, fast: bool) -> KernelCall:
    struct = _struct(graph, op)
    if struct is None:
        return call
    scratch_bytes = fully_connected_scratch_bytes(graph, op, fast=fast)
    rows = graph.tensor(output_of(op)).size // graph.tensor(op.inputs[1]).shape[0]
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)), rows)
    if not scratch_bytes:
        return replace(call, symbol="tess_fully_connected_s8__dsp", calls=(arguments,))
    symbol = "tess_fully_connected_expanded_s8__dsp"
    return replace(call, symbol=symbol, calls=((*arguments, Scratch()),), scratch_bytes=scratch_bytes)


def fully_connected_scratch_bytes(graph: Graph, op: Op, *, fast: bool) -> int:
    """As a layer; there are no others."""
    channels, depth = graph.tensor(op.inputs[1]).shape
    return 8 * (depth // 4) if fast and channels >= _LEAST_EXPANDED else 0


def _struct(graph: Graph, op: Op) -> Struct | None:
    """None where the portable kernel stays: weights with a zero point or with a pair (-128, negative), scales beyond
    what the requantization holds."""
    attrs = op.attrs
    assert isinstance(attrs, FullyConnected)
    x, out = graph.tensor(op.inputs[0]), graph.tensor(output_of(op))
    weights = centred_weights(graph, op)
    channels, depth = weights.shape
    packed, requant = _pack(weights), _requantization(graph, op)
    if packed is None or requant is None:
        return None
    multipliers, shifts = requant
    stream, offsets, chunk_words = packed
    bias = bias_of(graph, op)
    folded = offsets - x.q.zero_point * weights.sum(axis=1) + (0 if bias is None else bias.astype(np.int64))
    return Struct(
        "tess_fully_connected_s8_dsp_t",
        (
            ("in_c", depth),
            ("out_c", channels),
            ("chunk_words", chunk_words),
            ("weights", Array("weights", "int32_t", stream)),
            ("bias", Array("bias", "int32_t", wrap32(folded))),
            ("multiplier", Array("multiplier", "int32_t", multipliers)),
            ("shift", Array("shift", "int8_t", shifts.astype(np.int8))),
            ("requant_step", int(len(shifts) > 1)),
            ("zero_point", out.q.zero_point),
            ("min", attrs.clamp[0]),
            ("max", attrs.clamp[1]),
        ),
    )


def _requantization(graph: Graph, op: Op) -> tuple[Ints, Ints] | None:
    """(multipliers, shifts beyond 32), one of each where all channels have one scale, whose range may be too wide."""
    x, w, out = (graph.tensor(t).q for t in (*op.inputs[:2], output_of(op)))
    bounds, (least, most) = accumulator_bounds(graph, op), accumulator_ranges(graph, op)
    reals = fully_connected_reals(x, w, out, len(bounds))
    own = _single_roundings(reals, bounds, (least, most), out.zero_point)
    if not np.all(reals == reals[0]):
        return own
    one = bounds.max(keepdims=True), (least.min(keepdims=True), most.max(keepdims=True))
    return _single_roundings(reals[:1], *one, out.zero_point) or own


def _single_roundings(
    reals: NDArray[np.float64], bounds: Ints, acc_range: tuple[Ints, Ints], zero_point: int
) -> tuple[Ints, Ints] | None:
    try:
        multipliers, shifts = single_rounding(reals, bounds, zero_point, acc_range=acc_range, avoid_ties=True)
    except UnsupportedModel:
        return None
    beyond = shifts - 32
    fits = np.all(multipliers < 1 << 31) and np.all((beyond >= 1) & (beyond <= _MOST_SHIFT))
    return (multipliers, beyond) if fits else None


def _pack(weights: Ints) -> tuple[Ints, Ints, int] | None:
    """(the stream of words, [channels] what the kernel's sums are too large by, words a chunk)"""
    channels, depth = weights.shape
    words = depth // 4
    packed = weight_words(weights, np.arange(4 * words))
    if packed is None or weights.min() < -128 or weights.max() > 127:  # the last ones, of no whole word, are bytes
        return None
    values, pairs = packed
    chunk_words = _chunk_words(weights, pairs)
    stream: list[NDArray[np.int64]] = []
    offsets = np.zeros(channels, np.int64)
    whole = channels // _GROUP * _GROUP
    groups = [slice(c, c + _GROUP) for c in range(0, whole, _GROUP)] + [slice(c, c + 1) for c in range(whole, channels)]
    for group in groups:
        for begin in range(0, words, chunk_words):
            chunk = slice(begin, begin + chunk_words)
            extra = 127 * pairs[group, chunk].sum(axis=1)
            start = -extra % 256
            offsets[group] -= (extra + start) // 256
            stream += [_bytes_as_words(start), values[group, chunk].T.reshape(-1)]
        stream.append(_bytes_as_words(weights[group, 4 * words :].T.reshape(-1)))
    return np.concatenate(stream), offsets, chunk_words


def _chunk_words(weights: Ints, pairs: Ints) -> int:
    """The most words whose sums, times 256 and with what is added to them, stay in 32 bits for every input."""
    words = int(pairs.shape[1])
    taps = weights[:, : 4 * words].reshape(len(weights), words, 4)
    most = 256 * np.maximum(taps * -128, taps * 127).sum(axis=2) + 127 * pairs
    least = 256 * np.minimum(taps * -128, taps * 127).sum(axis=2) + 127 * pairs
    chunk = max(words, 1)
    while not all(_fits(least[:, i : i + chunk], most[:, i : i + chunk]) for i in range(0, words, chunk)):
        chunk = (chunk + 1) // 2
    return chunk


def _fits(least: Ints, most: Ints) -> bool:
    """With a start, at most 255."""
    return bool(least.sum(axis=1).min() >= -(1 << 31) and most.sum(axis=1).max() < (1 << 31) - 255)


def _bytes_as_words(values: Ints) -> Ints:
    """Little-endian, the last word filled up with zeros."""
    padded = np.zeros(-(-len(values) // 4) * 4, np.uint8)
    padded[: len(values)] = values & 0xFF
    return padded.view("<i4").astype(np.int64)
