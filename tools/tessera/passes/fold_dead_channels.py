"""Channels that carry no information."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tessera.arith.fixed_point import INT32_MAX, Ints
from tessera.ir.graph import Graph, Op, TensorId
from tessera.kernels.operands import bias_of
from tessera.passes.channel_groups import Groups, Numbers, group_channels, mixes_channels
from tessera.passes.channel_ranges import Bools, Range, channel_ranges, taps
from tessera.passes.cut_channels import cut_channels

BLOCK = 2
"""Where it is to be had, a multiple of so many channels stays: the convolutions of Armv7E-M make two at a time. Three
models in the simulator executed 0.2 to 0.8 % more instructions with 1, and 0.4 to 1.2 % more with 4."""


def fold_dead_channels(graph: Graph) -> Graph:
    """Before: CONV_2D with a channel that is 7 everywhere -> DEPTHWISE_CONV_2D -> CONV_2D. After: the same operators
    without it, and the last bias larger by what it added. Byte-exact, and again and again until nothing is left to go.

    A channel is constant where the intervals of `channel_ranges` say so, as behind weights that are all zero. A
    convolution takes a constant into its bias if it adds the same to each pixel: no padding meets it, or it is the zero
    point, or its weights are zero at each kernel position that the padding can meet. A channel that nobody reads, or
    that all readers multiply by zero, goes as well, constant or not. Inputs and outputs of the graph stay whole.

    A tensor that lost channels says in `kept` which are left.
    """
    ranges, groups = channel_ranges(graph), group_channels(graph)
    mixers = [_mixer(graph, op, groups, ranges) for op in graph.ops if mixes_channels(graph, op)]
    alive = _alive(groups, mixers, ranges)
    masks = {i: alive[g] for i, g in groups.of.items() if not alive[g].all()}
    added = {m.op.name: m.added[:, ~alive[m.inputs]].sum(axis=1) for m in mixers}
    return cut_channels(graph, masks, added) if masks else graph


@dataclass(frozen=True, slots=True, eq=False)
class _Mixer:
    """An operator that sums over channels: the groups of its input and output channels, `reads` [outputs][inputs]: the
    sum needs that channel, and `added` [outputs][inputs]: what a channel adds to the bias where it may go."""

    op: Op
    inputs: Numbers
    outputs: Numbers
    reads: Bools
    added: Ints


def _mixer(graph: Graph, op: Op, groups: Groups, ranges: Mapping[TensorId, Range]) -> _Mixer:
    x, seen = ranges[op.inputs[0]], taps(graph, op)
    used = (seen.weights != 0).any(axis=1)
    value = np.where(x.constant, x.low - graph.tensor(op.inputs[0]).q.zero_point, 0)
    added = seen.weights.sum(axis=1) * value
    bias = bias_of(graph, op)
    largest = np.abs(added).sum(axis=1) + (0 if bias is None else np.abs(bias.astype(np.int64)))
    meets_padding = (seen.weights[:, seen.border] != 0).any(axis=1)
    same_everywhere = x.constant & ((value == 0) | ~meets_padding) & (largest <= INT32_MAX)[:, None]
    inputs, outputs = groups.of[op.inputs[0]], groups.of[op.outputs[0]]
    return _Mixer(op, inputs, outputs, used & ~same_everywhere, np.where(same_everywhere, added, 0))


def _alive(groups: Groups, mixers: list[_Mixer], ranges: Mapping[TensorId, Range]) -> Bools:
    """The groups that stay: those that are pinned, what they need, and a few more that cost little."""
    alive = groups.pinned.copy()
    _add_needed(alive, mixers)
    for i, group in groups.of.items():  # no tensor is empty
        if group.size and not alive[group].any():
            constant = np.flatnonzero(ranges[i].constant) if i in ranges else np.empty(0, np.int64)
            alive[group[constant[0] if constant.size else 0]] = True
            _add_needed(alive, mixers)
    for group in groups.of.values():
        _fill_block(alive, group, mixers)
    return alive


def _add_needed(alive: Bools, mixers: list[_Mixer]) -> None:
    grown = True
    while grown:
        before = int(alive.sum())
        for m in reversed(mixers):
            alive[m.inputs[m.reads[alive[m.outputs]].any(axis=0)]] = True
        grown = int(alive.sum()) > before


def _fill_block(alive: Bools, group: Numbers, mixers: list[_Mixer]) -> None:
    """Keeps channels of a tensor up to a multiple of BLOCK, if there are enough that need no others."""
    missing = -int(alive[group].sum()) % BLOCK
    if not missing:
        return
    found: list[int] = []
    for g in dict.fromkeys(group[~alive[group]].tolist()):
        size = int((group == g).sum())
        if size <= missing and all(alive[m.inputs[m.reads[m.outputs == g].any(axis=0)]].all() for m in mixers):
            found.append(g)
            missing -= size
        if not missing:
            alive[found] = True
            return
