"""Rewrites that give a schedule more room: the same bytes computed by other operators.

*Channels in groups.* An expansion and the depthwise convolution behind it work channel by channel: split in groups, one
after the other, only one group's rows are kept at a time.

    expand -> depthwise -> x      =>      expand.0 -> depthwise.0 -+
                                          expand.1 -> depthwise.1 -+- concat -> x

The same holds for a convolution whose map only its average is wanted of (the 1280 channels at the end of a MobileNet):
the sums of one group at a time.

*Repetition* (rematerialisation). A squeeze-and-excite block reads its map twice: for the average, then to multiply it.
Instead of storing the map between, it is computed a second time; with groups, only a share of the channels is.

    expand.k -> depthwise.k -> average.k      for each group k; the averages are put together
    expand.k -> depthwise.k                   once more for the groups that were not stored, then concat -> multiply
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from tessera.ir.attrs import Concatenation, Conv2D, DepthwiseConv2D, Mul
from tessera.ir.graph import Graph, Op, Quant, Tensor, TensorId
from tessera.schedule.cost import op_macs
from tessera.schedule.streamable import streamable
from tessera.schedule.views import is_view

GROUP = 2  # channels of a group are a multiple


@dataclass(frozen=True, slots=True)
class Block:
    """Names of the operators: `expand`, and `last`, the depthwise convolution or the average behind it. Of a
    squeeze-and-excite block also `average` and `multiply`, which both read what `last` makes; else empty."""

    expand: str
    last: str
    average: str
    multiply: str
    channels: int
    macs: int  # of `expand` and `last`


@dataclass(frozen=True, slots=True)
class Variant:
    """A block, the channels of its groups, and how many groups from the end are computed a second time."""

    block: Block
    groups: tuple[int, ...]
    repeated: int


def order_ops(graph: Graph, order: Sequence[int]) -> Graph:
    """The graph with its operators in this order, views right behind what they view."""
    views = [op for op in graph.ops if is_view(op.attrs)]
    ops: list[Op] = []
    known = set(graph.inputs)

    def add_views() -> None:
        grown = True
        while grown:
            grown = False
            for op in views:
                if op not in ops and op.inputs[0] in known:
                    ops.append(op)
                    known.update(op.outputs)
                    grown = True

    add_views()
    for i in order:
        ops.append(graph.ops[i])
        known.update(graph.ops[i].outputs)
        add_views()
    return replace(graph, ops=tuple(ops))


def find_blocks(graph: Graph) -> list[Block]:
    readers, producer = graph.consumers(), graph.producer()
    blocks: list[Block] = []
    for d, op in enumerate(graph.ops):
        how = streamable(graph, op)
        depthwise = isinstance(op.attrs, DepthwiseConv2D) and op.attrs.depth_multiplier == 1
        e = producer.get(op.inputs[0])
        if how is None or not (how.reduces or depthwise) or e is None or not isinstance(graph.ops[e].attrs, Conv2D):
            continue
        between = graph.tensor(op.inputs[0])
        if readers[op.inputs[0]] != [d] or op.inputs[0] in graph.outputs or op.outputs[0] in graph.outputs:
            continue
        if between.shape[-1] < 2 * GROUP or not all(_splits(graph, i) for i in (e, d)):
            continue
        squeeze = ("", "") if how.reduces else _squeeze(graph, readers.get(op.outputs[0], []))
        macs = op_macs(graph, graph.ops[e]) + op_macs(graph, op)
        blocks.append(Block(graph.ops[e].name, op.name, *squeeze, between.shape[-1], macs))
    return blocks


def _splits(graph: Graph, i: int) -> bool:
    """Quantization parameters are per tensor or per channel."""
    op = graph.ops[i]
    if not isinstance(op.attrs, Conv2D | DepthwiseConv2D):
        return True
    w = graph.tensor(op.inputs[1])
    return len(w.q.scales) in (1, w.shape[3] if isinstance(op.attrs, DepthwiseConv2D) else w.shape[0])


def _squeeze(graph: Graph, readers: list[int]) -> tuple[str, str]:
    """The average of a map and the multiplication of it, where nobody else reads it; else two empty names."""
    if len(readers) == 2:
        first, second = (graph.ops[i] for i in readers)
        how = streamable(graph, first)
        if how is not None and how.reduces and isinstance(second.attrs, Mul):
            return first.name, second.name
    return "", ""


def apply(graph: Graph, variant: Variant) -> Graph:
    """The graph with one block rewritten; new tensors are appended, all others keep their numbers."""
    block, tensors = variant.block, _Tensors(graph)
    named = {op.name: op for op in graph.ops}
    if len(variant.groups) == 1:
        ops = [named[block.expand], named[block.last]]
        again = _again(tensors, ops)
        multiply = replace(
            named[block.multiply],
            inputs=tuple(again[-1].outputs[0] if t == ops[-1].outputs[0] else t for t in named[block.multiply].inputs),
        )
        return _replaced(graph, tensors, {block.multiply: [*again, multiply]})
    groups = [_group(tensors, named, block, k, begin, end) for k, (begin, end) in enumerate(_ranges(variant.groups))]
    chains = [op for group in groups for op in group]
    if not block.multiply:
        concat = _concat(tensors, f"{block.last}.concat", [group[-1] for group in groups], named[block.last])
        return _replaced(graph, tensors, {block.expand: [], block.last: [*chains, concat]})
    averages = _concat(tensors, f"{block.average}.concat", [group[-1] for group in groups], named[block.average])
    stored = len(groups) - variant.repeated
    repeated = [_again(tensors, group[:2]) for group in groups[stored:]]
    ends = [chain[1] for chain in (*groups[:stored], *repeated)]
    concat = _concat(tensors, f"{block.last}.concat", ends, named[block.last])
    late = [*(op for chain in repeated for op in chain), concat, named[block.multiply]]
    return _replaced(
        graph, tensors, {block.expand: [], block.last: chains, block.average: [averages], block.multiply: late}
    )


class _Tensors:
    """Appends tensors to a graph."""

    def __init__(self, graph: Graph) -> None:
        self.all = list(graph.tensors)

    def add(self, tensor: Tensor) -> TensorId:
        self.all.append(tensor)
        return TensorId(len(self.all) - 1)

    def part(self, t: TensorId, begin: int, end: int, axis: int, suffix: str) -> TensorId:
        """Channels [begin, end) of a constant or of a map."""
        whole = self.all[t]
        quant = whole.quant
        if quant is not None and len(quant.scales) > 1:
            quant = Quant(quant.scales[begin:end], quant.zero_point, quant.axis)
        data = None if whole.data is None else np.ascontiguousarray(whole.data.take(range(begin, end), axis=axis))
        shape = tuple(end - begin if a == axis else n for a, n in enumerate(whole.shape))
        return self.add(Tensor(f"{whole.name}{suffix}", shape, whole.dtype, quant, data))


def _ranges(groups: Sequence[int]) -> list[tuple[int, int]]:
    ends = list(accumulate(groups))
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _group(tensors: _Tensors, named: dict[str, Op], block: Block, k: int, begin: int, end: int) -> list[Op]:
    """The operators of channels [begin, end): of the expansion, of what is behind it, and of its average if any."""
    chain: list[Op] = []
    for name in (block.expand, block.last, block.average):
        if not name:
            continue
        op = named[name]
        out = tensors.part(op.outputs[0], begin, end, len(tensors.all[op.outputs[0]].shape) - 1, f".{k}")
        axes = (3, 0) if isinstance(op.attrs, DepthwiseConv2D) else (0, 0)  # of weights and bias
        constants = [tensors.part(t, begin, end, a, f".{k}") for t, a in zip(op.inputs[1:], axes, strict=False)]
        source = chain[-1].outputs[0] if chain else op.inputs[0]
        chain.append(Op(f"{name}.{k}", op.attrs, (source, *constants), (out,)))
    return chain


def _again(tensors: _Tensors, ops: Sequence[Op]) -> list[Op]:
    """A chain once more, on tensors of its own."""
    clones: list[Op] = []
    for op in ops:
        whole = tensors.all[op.outputs[0]]
        out = tensors.add(replace(whole, name=f"{whole.name}.again"))
        inputs = (clones[-1].outputs[0], *op.inputs[1:]) if clones else op.inputs
        clones.append(Op(f"{op.name}.again", op.attrs, inputs, (out,)))
    return clones


def _concat(tensors: _Tensors, name: str, parts: Sequence[Op], whole: Op) -> Op:
    """The parts of what `whole` would have made, put together."""
    axis = len(tensors.all[whole.outputs[0]].shape) - 1
    return Op(name, Concatenation(axis), tuple(op.outputs[0] for op in parts), whole.outputs)


def _replaced(graph: Graph, tensors: _Tensors, places: dict[str, list[Op]]) -> Graph:
    """The graph with other operators in the places of those named."""
    ops = [new for op in graph.ops for new in places.get(op.name, [op])]
    return replace(graph, tensors=tuple(tensors.all), ops=tuple(ops))


def variants_of(block: Block, share: float) -> list[Variant]:
    """What is worth trying: channels in two and four groups; of a squeeze-and-excite block, a share of the channels
    computed twice, eighths and what `share` says, in two groups."""
    found = [Variant(block, groups, 0) for groups in (_groups(block.channels, n) for n in (2, 4)) if len(groups) > 1]
    if not block.multiply:
        return found
    found += [Variant(block, (block.channels,), 1), Variant(block, _groups(block.channels, 2), 2)]
    for part in sorted({*(k / 8 for k in range(1, 8)), share}):
        twice = int(block.channels * part / GROUP) * GROUP
        if 0 < twice < block.channels:
            groups = _groups(twice, 2) if twice >= 2 * GROUP else (twice,)
            found.append(Variant(block, (block.channels - twice, *groups), len(groups)))
    return list(dict.fromkeys(found))


def _groups(channels: int, count: int) -> tuple[int, ...]:
    size = -(-channels // (count * GROUP)) * GROUP
    full, rest = divmod(channels, size)
    return (size,) * full + ((rest,) if rest else ())
