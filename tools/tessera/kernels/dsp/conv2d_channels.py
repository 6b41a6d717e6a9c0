"""What Armv7E-M kernels need of a convolution's output channels, and which requantization they can do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tessera.arith.fixed_point import Ints
from tessera.arith.multipliers import conv_multipliers
from tessera.ir.attrs import Clamp, Conv2D
from tessera.ir.graph import Graph, Op
from tessera.kernels.dsp.fine_requantization import fine_requantization
from tessera.kernels.dsp.requantization import FULL
from tessera.kernels.dsp.weight_words import Words, weight_words
from tessera.kernels.limits import accumulator_ranges
from tessera.kernels.operands import bias_of, centred_weights, output_of


@dataclass(frozen=True, slots=True, eq=False)
class Channels:
    """Output channels are the first axis of every array."""

    words: Words  # [channels, words] of weights as they are stored
    odd_sums: Ints  # [channels, words] of the weights w1 and w3 of each
    bias: Ints  # with the zero point of the input times the weights less theirs
    multipliers: Ints
    shifts: Ints
    packed: Ints | None  # [channels, 3] multiplier, k, shift; None: only the reference's own arithmetic will do

    def __getitem__(self, some: slice) -> Channels:
        return Channels(
            self.words[some],
            self.odd_sums[some],
            self.bias[some],
            self.multipliers[some],
            self.shifts[some],
            None if self.packed is None else self.packed[some],
        )

    @property
    def start(self) -> Ints:
        """What sums of packed requantization begin with."""
        start: Ints = 256 * self.bias - 127 * self.odd_sums.sum(axis=1)
        return start

    @property
    def wide(self) -> Ints:
        """[channels, 3]"""
        return np.stack([self.bias, self.multipliers, self.shifts], axis=1)


def channels_of(graph: Graph, op: Op, order: Ints) -> Channels | None:
    """Weights as they are stored, without regard to their zero point; None where they have no such words."""
    assert isinstance(op.attrs, Conv2D)
    x, w, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    weights = centred_weights(graph, op).reshape(out.shape[3], -1)
    found = weight_words(weights + w.q.zero_point, order)
    if found is None:
        return None
    bias = bias_of(graph, op)
    folded = (0 if bias is None else bias.astype(np.int64)) - x.q.zero_point * weights.sum(axis=1)
    multipliers, shifts = conv_multipliers(x.q, w.q, out.q, len(weights), op.attrs.float32_product)
    ranges = accumulator_ranges(graph, op)
    packed = fine_requantization(ranges, multipliers, shifts, out.q.zero_point, op.attrs.clamp)
    return Channels(*found, folded, multipliers, shifts, packed)


def rounding(zero_point: int, clamp: Clamp) -> str:
    """Packed requantization's variant, as in the names of kernels."""
    if clamp == FULL:
        return "relu" if zero_point == clamp[0] else "linear"
    return "relu_clamp" if clamp[0] >= zero_point else "clamp"


def interleaved(values: Words, group: int) -> Words:
    """[channels, n] -> [channels / group, n * group], the group's values side by side."""
    return values.reshape(-1, group, values.shape[1]).transpose(0, 2, 1).reshape(-1, group * values.shape[1])
