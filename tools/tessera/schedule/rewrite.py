"""Rewrites that give a schedule more room: the same bytes computed by other operators.

*Channels in groups.* An expansion and the depthwise convolution behind it work channel by channel: split in groups, one
after the other, only one group's rows are kept at a time.

    expand -> depthwise -> x      =>      expand.0 -> depthwise.0 -+
                                          expand.1 -> depthwise.1 -+- concat -> x

The same holds for a convolution whose map only its average is wanted of (the 1280 channels at the end of a MobileNet):
the sums of one group at a time.

*Repetition* (rematerialisation). A squeeze-and-excite block reads its map twice: for the average, then to multiply it.
Instead of storing the map between, it is computed a second time; with groups, only a share of the channels is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tessera.ir.attrs import Concatenation, Conv2D, DepthwiseConv2D, Mul
from tessera.ir.graph import Graph, Op, Quant, Tensor, TensorId
from tessera.schedule.streamable import streamable
from tessera.schedule.views import is_view

GROUP = 4  # channels of a group are a multiple


@dataclass(frozen=True, slots=True)
class Block:
    """Names of the operators: `expand`, and `last`, the depthwise convolution or the average behind it. Of a
    squeeze-and-excite block also `multiply`, which reads the map again once its average is known; else empty."""

    expand: str
    last: str
    multiply: str
    channels: int
    map_bytes: int


@dataclass(frozen=True, slots=True)
class Variant:
    """A block, the channels of its groups, and how many groups from the end are computed a second time.

    In a squeeze-and-excite block the concatenation always runs twice: its result is never stored.
    """

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
        between, out = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
        if readers[op.inputs[0]] != [d] or op.inputs[0] in graph.outputs or op.outputs[0] in graph.outputs:
            continue
        if between.shape[-1] < 2 * GROUP or not all(_splits(graph, i) for i in (e, d)):
            continue
        multiply = "" if how.reduces else _squeeze(graph, readers.get(op.outputs[0], []))
        size = between.nbytes if how.reduces else out.nbytes
        blocks.append(Block(graph.ops[e].name, op.name, multiply, between.shape[-1], size))
    return blocks


def _splits(graph: Graph, i: int) -> bool:
    """Quantization parameters are per tensor or per channel."""
    op = graph.ops[i]
    if not isinstance(op.attrs, Conv2D | DepthwiseConv2D):
        return True
    w = graph.tensor(op.inputs[1])
    return len(w.q.scales) in (1, w.shape[3] if isinstance(op.attrs, DepthwiseConv2D) else w.shape[0])


def _squeeze(graph: Graph, readers: list[int]) -> str:
    """The multiplication that reads a map beside its average, or nothing."""
    if len(readers) == 2:
        first, second = (graph.ops[i] for i in readers)
        how = streamable(graph, first)
        if how is not None and how.reduces and isinstance(second.attrs, Mul):
            return second.name
    return ""


def apply(graph: Graph, variant: Variant) -> Graph:
    """The graph with one block rewritten; new tensors are appended, all others keep their numbers."""
    block = variant.block
    if len(variant.groups) == 1:
        return _repeat(graph, block, (block.expand, block.last))
    graph = _split(graph, variant)
    if not block.multiply:
        return graph
    first = len(variant.groups) - variant.repeated
    parts = [f"{name}.{k}" for k in range(first, len(variant.groups)) for name in (block.expand, block.last)]
    return _repeat(graph, block, (*parts, f"{block.last}.concat"))


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


def _split(graph: Graph, variant: Variant) -> Graph:
    named = {op.name: op for op in graph.ops}
    expand, last = named[variant.block.expand], named[variant.block.last]
    axis = len(graph.tensor(last.outputs[0]).shape) - 1
    tensors, fresh, begin = _Tensors(graph), [], 0
    outs: list[TensorId] = []
    for k, channels in enumerate(variant.groups):
        end = begin + channels
        x = tensors.part(expand.outputs[0], begin, end, 3, f".{k}")
        constants = [tensors.part(t, begin, end, 0, f".{k}") for t in expand.inputs[1:]]
        fresh.append(Op(f"{expand.name}.{k}", expand.attrs, (expand.inputs[0], *constants), (x,)))
        y = tensors.part(last.outputs[0], begin, end, axis, f".{k}")
        constants = [tensors.part(t, begin, end, 3 - 3 * n, f".{k}") for n, t in enumerate(last.inputs[1:])]
        fresh.append(Op(f"{last.name}.{k}", last.attrs, (x, *constants), (y,)))
        outs.append(y)
        begin = end
    fresh.append(Op(f"{last.name}.concat", Concatenation(axis), tuple(outs), last.outputs))
    ops: list[Op] = []
    for op in graph.ops:
        if op is last:
            ops += fresh
        elif op is not expand:
            ops.append(op)
    return replace(graph, tensors=tuple(tensors.all), ops=tuple(ops))


def _repeat(graph: Graph, block: Block, names: Sequence[str]) -> Graph:
    """The operators `names` once more, just before the multiplication, which then reads the second result."""
    tensors, renamed, clones = _Tensors(graph), dict[TensorId, TensorId](), []
    for name in names:
        op = next(op for op in graph.ops if op.name == name)
        out = tensors.all[op.outputs[0]]
        renamed[op.outputs[0]] = tensors.add(replace(out, name=f"{out.name}.again"))
        inputs = tuple(renamed.get(t, t) for t in op.inputs)
        clones.append(Op(f"{name}.again", op.attrs, inputs, (renamed[op.outputs[0]],)))
    ops: list[Op] = []
    for op in graph.ops:
        if op.name == block.multiply:
            ops += clones
            op = replace(op, inputs=tuple(renamed.get(t, t) for t in op.inputs))
        ops.append(op)
    return replace(graph, tensors=tuple(tensors.all), ops=tuple(ops))


def variants_of(block: Block) -> list[Variant]:
    """What is worth trying: channels in two and four groups; of a squeeze-and-excite block, a share repeated."""
    found = [Variant(block, groups, 0) for groups in (_groups(block.channels, n) for n in (2, 4)) if len(groups) > 1]
    if block.multiply:
        found.append(Variant(block, (block.channels,), 1))
        for second in sorted(
            {round(block.channels * share / 8 / GROUP) * GROUP for share in (1, 2, 3, 3.5, 4, 5, 6, 7)}
        ):
            if 0 < second < block.channels:
                found.append(Variant(block, (block.channels - second, second), 1))
    return found


def _groups(channels: int, count: int) -> tuple[int, ...]:
    size = -(-channels // (count * GROUP)) * GROUP
    full, rest = divmod(channels, size)
    return (size,) * full + ((rest,) if rest else ())
