"""Every rewriting of a block computes the same bytes: run both graphs, compare all that both have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from networks import Network, draw_inputs
from small_graphs import Builder

from tessera.interpreter.run import run
from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, Quant, TensorId
from tessera.ir.verify import verify_graph
from tessera.schedule.cost import macs, op_macs
from tessera.schedule.rewrite import Block, Variant, apply, find_blocks, order_ops, variants_of
from tessera.schedule.views import is_view

Average = Callable[[Network, TensorId], TensorId]
AVERAGES: dict[str, Average] = {
    "mean": Network.mean,
    "mean_of_means": Network.mean_of_means,
    "average": Network.average,
}


def inverted(n: Network, x: TensorId, channels: int, average: Average | None = None, stride: int = 1) -> TensorId:
    """A block of a MobileNet, with squeeze and excite where there is an average."""
    y = n.depthwise(n.conv(x, channels, (1, 1)), (3, 3), (stride, stride))
    if average is not None:
        gate = n.lookup(n.conv(n.lookup(n.conv(average(n, y), 4, (1, 1))), channels, (1, 1)))
        y = n.two(ir.Mul, y, gate)
    return n.conv(y, n.shape(x)[3], (1, 1))


def tail(n: Network, x: TensorId, channels: int, average: Average) -> TensorId:
    """The end of a MobileNet."""
    return n.conv(average(n, n.conv(x, channels, (1, 1))), 5, (1, 1))


def small(average: Average, channels: int = 18, seed: int = 0) -> Graph:
    """One block of each kind."""
    n = Network(seed)
    x = n.conv(n.input(9, 7, 3), 6, (3, 3), (2, 2))
    x = n.two(ir.Add, x, inverted(n, x, channels))
    x = inverted(n, x, channels + 2, average)
    return n.graph(tail(n, x, channels - 5, average))


def per_tensor(graph: Graph) -> Graph:
    """Weights and biases of one scale."""
    tensors = [
        replace(t, quant=Quant(t.quant.scales[:1], t.quant.zero_point)) if t.is_constant and t.quant else t
        for t in graph.tensors
    ]
    return replace(graph, tensors=tuple(tensors))


def without_bias(graph: Graph) -> Graph:
    return replace(graph, ops=tuple(replace(op, inputs=op.inputs[:2]) for op in graph.ops))


def constant_bytes(graph: Graph) -> int:
    used = {t for op in graph.ops for t in op.inputs if graph.tensor(t).is_constant}
    return sum(graph.tensor(t).nbytes for t in used)


def assert_same(graph: Graph, other: Graph) -> None:
    verify_graph(other)
    assert other.inputs == graph.inputs
    assert other.outputs == graph.outputs
    assert other.tensors[: len(graph.tensors)] == graph.tensors
    names = [t.name for t in other.tensors]
    assert len(set(names)) == len(names)
    for seed in range(2):
        inputs = draw_inputs(graph, seed)
        expected, values = run(graph, inputs), run(other, inputs)
        made = {t for op in other.ops for t in op.outputs} & {t for op in graph.ops for t in op.outputs}
        assert set(graph.outputs) <= made
        for t in made:
            assert np.array_equal(expected[t], values[t]), graph.tensor(t).name


def all_variants(graph: Graph, share: float = 0.3) -> list[Variant]:
    return [v for block in find_blocks(graph) for v in variants_of(block, share)]


@pytest.mark.parametrize("average", AVERAGES.values(), ids=AVERAGES)
@pytest.mark.parametrize("change", [lambda g: g, per_tensor, without_bias], ids=["", "per_tensor", "without_bias"])
def test_every_variant_computes_the_same(average: Average, change: Callable[[Graph], Graph]) -> None:
    graph = change(small(average))
    variants = all_variants(graph)
    assert {bool(v.block.multiply) for v in variants} == {False, True}
    for variant in variants:
        other = apply(graph, variant)
        assert_same(graph, other)
        assert constant_bytes(other) == constant_bytes(graph)


@pytest.mark.parametrize("average", AVERAGES.values(), ids=AVERAGES)
def test_variants_of_several_blocks_one_after_the_other(average: Average) -> None:
    graph = small(average, 12, seed=5)
    blocks = find_blocks(graph)
    assert len(blocks) == 3
    rng = np.random.default_rng(1)
    for _ in range(8):
        other = graph
        for k in rng.permutation(3):
            variants = variants_of(blocks[k], 0.4)
            other = apply(other, variants[rng.integers(len(variants))])
        assert_same(graph, other)


def test_blocks_and_what_they_cost() -> None:
    graph = small(Network.mean)
    named = {op.name: op for op in graph.ops}
    plain, squeezed, end = find_blocks(graph)
    assert [b.channels for b in (plain, squeezed, end)] == [18, 20, 13]
    assert [bool(b.multiply) for b in (plain, squeezed, end)] == [False, True, False]
    for b in (plain, squeezed, end):
        assert isinstance(named[b.expand].attrs, ir.Conv2D)
        assert b.macs == op_macs(graph, named[b.expand]) + op_macs(graph, named[b.last])
    assert isinstance(named[plain.last].attrs, ir.DepthwiseConv2D)
    assert isinstance(named[squeezed.average].attrs, ir.Mean)
    assert isinstance(named[squeezed.multiply].attrs, ir.Mul)
    assert isinstance(named[end.last].attrs, ir.Mean)


def test_repeated_groups_and_no_others_cost_their_macs_again() -> None:
    graph = small(Network.mean)
    for variant in all_variants(graph):
        twice = sum(variant.groups[len(variant.groups) - variant.repeated :]) if variant.repeated else 0
        extra = macs(apply(graph, variant)) - macs(graph)
        assert extra == variant.block.macs * twice // variant.block.channels
        assert sum(variant.groups) == variant.block.channels
        assert bool(variant.repeated) <= bool(variant.block.multiply)


def test_a_group_of_one_channel_and_odd_sizes() -> None:
    """No such group is tried; that it works shows that nothing depends on the sizes."""
    graph = small(Network.mean_of_means)
    for block in find_blocks(graph):
        groups = (1, 3, block.channels - 5, 1)
        for repeated in range(4 if block.multiply else 1):
            assert_same(graph, apply(graph, Variant(block, groups, repeated)))


def test_a_rewritten_graph_has_no_new_block_of_the_old_names() -> None:
    """Variants are named by operators: those of other blocks must still be there."""
    graph = small(Network.mean)
    blocks = find_blocks(graph)
    for variant in all_variants(graph):
        names = {op.name for op in apply(graph, variant).ops}
        for block in blocks:
            if block != variant.block:
                assert {block.expand, block.last} <= names
                assert not block.multiply or {block.average, block.multiply} <= names


def refused() -> dict[str, Callable[[Builder], tuple[TensorId, ...]]]:
    def read_twice(b: Builder) -> tuple[TensorId, ...]:
        x = b.conv(b.input(1, 4, 4, 4), 8)
        return b.depthwise(x, (3, 3)), b.lookup(x)

    def an_output(b: Builder) -> tuple[TensorId, ...]:
        x = b.conv(b.input(1, 4, 4, 4), 8)
        return b.lookup(b.depthwise(x, (3, 3))), x

    def ends_in_an_output(b: Builder) -> tuple[TensorId, ...]:
        return (b.depthwise(b.conv(b.input(1, 4, 4, 4), 8), (3, 3)),)

    def multiplied(b: Builder) -> tuple[TensorId, ...]:
        return (b.lookup(b.depthwise(b.conv(b.input(1, 4, 4, 4), 8), (3, 3), multiplier=2)),)

    def few_channels(b: Builder) -> tuple[TensorId, ...]:
        return (b.lookup(b.depthwise(b.conv(b.input(1, 4, 4, 4), 3), (3, 3))),)

    def no_convolution(b: Builder) -> tuple[TensorId, ...]:
        return (b.lookup(b.depthwise(b.lookup(b.input(1, 4, 4, 8)), (3, 3))),)

    return {f.__name__: f for f in (read_twice, an_output, ends_in_an_output, multiplied, few_channels, no_convolution)}


@pytest.mark.parametrize("make", refused().values(), ids=refused())
def test_no_block(make: Callable[[Builder], tuple[TensorId, ...]]) -> None:
    b = Builder()
    graph = b.graph(*make(b))
    tensors = tuple(replace(t, quant=Quant(np.ones(1, np.float32), 0)) for t in graph.tensors)
    assert find_blocks(replace(graph, tensors=tensors)) == []


def test_order_ops_puts_views_behind_what_they_view() -> None:
    b = Builder()
    image = b.input(1, 4, 4, 2)
    first = b.reshape(image, 1, 2, 8, 2)  # 0
    x = b.lookup(image)  # 1
    y = b.lookup(first)  # 2
    deep = b.reshape(b.reshape(x, 1, 32), 32)  # 3, 4
    graph = b.graph(b.lookup(deep), y)  # 5

    def order(ops: Sequence[int]) -> list[int]:
        return [graph.ops.index(op) for op in order_ops(graph, ops).ops]

    assert order((1, 5, 2)) == [0, 1, 3, 4, 5, 2]
    assert order((2, 1, 5)) == [0, 2, 1, 3, 4, 5]
    assert all(is_view(graph.ops[i].attrs) for i in (0, 3, 4))


def test_groups_are_even_and_share_is_among_those_repeated() -> None:
    block = Block("e", "d", "a", "m", 30, 1000)
    variants = variants_of(block, 0.34)
    assert len(set(variants)) == len(variants)
    for v in variants:
        assert sum(v.groups) == 30
        assert all(size % 2 == 0 for size in v.groups)
    twice = {sum(v.groups[len(v.groups) - v.repeated :]) for v in variants if v.repeated}
    assert {10, 30} <= twice
    assert variants_of(replace(block, average="", multiply=""), 0.34) == [
        Variant(replace(block, average="", multiply=""), groups, 0) for groups in ((16, 14), (8, 8, 8, 6))
    ]
