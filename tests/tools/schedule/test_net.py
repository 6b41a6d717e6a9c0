"""Nets against their definitions: what lives at a cut, what a layer needs, how far maps go, which inputs are pulled."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import Network, networks
from small_graphs import CLAMP, Builder, graphs, three_ops

from tessera.ir.attrs import Mul, ResizeNearest
from tessera.ir.graph import Graph, TensorId
from tessera.memory.align import align_up
from tessera.memory.buffers import make_buffers, make_overlaps
from tessera.memory.planner import step_bytes
from tessera.schedule.cost import macs
from tessera.schedule.net import Net, make_net
from tessera.schedule.schedule import InputMode, Schedule, Stage
from tessera.schedule.views import is_view

some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def net_of(graph: Graph, mode: InputMode = InputMode.RESIDENT) -> Net:
    return make_net(graph, tuple(i for i, op in enumerate(graph.ops) if not is_view(op.attrs)), mode)


def views_of(graph: Graph, tensor: TensorId) -> set[TensorId]:
    """It and everything that shares its bytes."""
    found = {tensor}
    for op in graph.ops:
        if is_view(op.attrs) and op.inputs[0] in found:
            found.add(op.outputs[0])
    return found


def is_live(net: Net, tensor: TensorId, cut: int) -> bool:
    """Made before the cut, and read behind it or an output of the model."""
    graph, views = net.graph, views_of(net.graph, tensor)
    read = [k for k, n in enumerate(net.nodes) if views & set(graph.ops[n.op].inputs)]
    made = [k for k, n in enumerate(net.nodes) if tensor in graph.ops[n.op].outputs]
    last = len(net.nodes) if views & set(graph.outputs) else max(read, default=0 if not made else -1)
    if tensor in net.pulled:
        return net.mode is InputMode.STREAMED and min(read) < cut <= last
    return (made[0] if made else -1) < cut <= last


@some
@given(st.one_of(graphs(), networks()), st.sampled_from(InputMode))
def test_what_lives_at_each_cut(graph: Graph, mode: InputMode) -> None:
    net = net_of(graph, mode)
    values = [*graph.inputs, *(t for op in graph.ops if not is_view(op.attrs) for t in op.outputs)]
    for cut in range(len(net.nodes) + 1):
        assert net.live[cut] == {t for t in values if is_live(net, t, cut)}


@some
@given(st.one_of(graphs(), networks()))
def test_a_layer_needs_what_a_plan_of_layers_needs(graph: Graph) -> None:
    net = net_of(graph)
    schedule = Schedule(graph, tuple(Stage((n.op,)) for n in net.nodes))
    buffers = make_buffers(schedule)
    pressure = step_bytes(buffers, make_overlaps(schedule, buffers))
    slack = sum(net.sizes[n.out] - align_up(graph.tensor(n.out).nbytes) for n in net.nodes if n.reduces)
    for i, needed in enumerate(pressure[: len(net.nodes)]):  # a reduction counts as if a stage had made it
        layer = net.layer_bytes(i)
        assert layer is not None
        assert needed <= layer <= needed + slack


@some
@given(networks())
def test_macs_are_those_of_the_model(graph: Graph) -> None:
    assert net_of(graph).macs == macs(graph)


def test_scales_and_units() -> None:
    b = Builder()
    x = b.conv(b.input(1, 16, 16, 3), 4, (3, 3), (2, 1), (0, 1, 1, 1))
    up = b.op(ResizeNearest(False, False), (x,), (1, 24, 48, 4))
    graph = b.graph(b.conv(up, 2, (1, 1), (2, 2)))
    net = net_of(graph)
    scales = [(net.maps[t].scale_h, net.maps[t].scale_w) for t in (graph.inputs[0], x, up, graph.outputs[0])]
    assert scales == [(1, 1), (2, 1), (Fraction(2, 3), Fraction(1, 3)), (Fraction(4, 3), Fraction(2, 3))]
    assert [net.units[t] for t in (graph.inputs[0], x, up, graph.outputs[0])] == [(3, 3), (6, 3), (2, 1), (4, 2)]


def test_maps_of_two_rates_are_added_as_a_layer() -> None:
    """Once by strides of one direction, once of the other: both 4 x 4, but not at the same pace."""
    b = Builder()
    image = b.input(1, 8, 8, 2)
    fast = b.conv(image, 2, (2, 2), (2, 2))
    slow = b.conv(image, 2, (5, 5), (1, 1))
    net = net_of(b.graph(b.add(fast, slow)))
    assert [n.streams for n in net.nodes] == [True, True, False]


def test_a_reduction_keeps_sums() -> None:
    n = Network()
    x = n.input(4, 4, 10)
    graph = n.graph(n.mean(x), n.mean_of_means(x), n.average(x))
    net = net_of(graph)
    assert [net.sizes[t] for t in graph.outputs] == [40, 80, 40]
    assert [node.reduces for node in net.nodes] == [True] * 3
    assert [node.row_by_row for node in net.nodes] == [False, True, False]


def one_reader(b: Builder) -> tuple[TensorId, ...]:
    return (b.conv(b.input(1, 8, 8, 3), 4),)


def two_readers(b: Builder) -> tuple[TensorId, ...]:
    image = b.input(1, 8, 8, 3)
    return (b.add(b.conv(image, 3), image),)


def through_a_view(b: Builder) -> tuple[TensorId, ...]:
    return (b.conv(b.reshape(b.input(1, 8, 8, 3), 1, 4, 16, 3), 4),)


def an_output(b: Builder) -> tuple[TensorId, ...]:
    image = b.input(1, 8, 8, 3)
    return b.conv(image, 4), image


def read_by_a_layer(b: Builder) -> tuple[TensorId, ...]:
    return (b.fully_connected(b.input(1, 8, 8, 3), 4),)


def as_a_vector(b: Builder) -> tuple[TensorId, ...]:
    x, vector = b.conv(b.input(1, 8, 8, 3), 4), b.input(1, 1, 1, 4)
    return (b.op(Mul(CLAMP), (x, vector), b.shape(x)),)


def two_images(b: Builder) -> tuple[TensorId, ...]:
    return (b.add(b.input(1, 8, 8, 3), b.input(1, 8, 8, 3)),)


@pytest.mark.parametrize(
    ("make", "pulled"),
    [
        (one_reader, [0]),
        (two_readers, [0]),
        (through_a_view, []),
        (an_output, []),
        (read_by_a_layer, []),
        (as_a_vector, [0]),
        (two_images, [0, 1]),
    ],
)
def test_which_inputs_are_pulled(make: Callable[[Builder], tuple[TensorId, ...]], pulled: list[int]) -> None:
    b = Builder()
    graph = b.graph(*make(b))
    for mode in InputMode:
        expected = set() if mode is InputMode.RESIDENT else {graph.inputs[k] for k in pulled}
        assert net_of(graph, mode).pulled == expected


def test_no_layer_reads_an_input_that_only_stages_pull() -> None:
    graph = three_ops()
    for mode in (InputMode.STREAMED, InputMode.REREAD):
        assert net_of(graph, mode).layer_bytes(0) is None
        assert net_of(graph, mode).layer_bytes(1) == net_of(graph).layer_bytes(1)
    b = Builder()
    graph = b.graph(*two_readers(b))
    assert [net_of(graph, InputMode.STREAMED).layer_bytes(i) is None for i in (0, 1)] == [True, False]
    assert [net_of(graph, InputMode.REREAD).layer_bytes(i) is None for i in (0, 1)] == [True, True]
