"""Estimates weigh schedules against each other: they must grow with the work, and know every operator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from networks import Network, networks

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph, TensorId
from tessera.kernels.isa import PORTABLE, Isa, KernelSet
from tessera.nets.mobilenetv2 import MOBILENETV2, build_graph
from tessera.schedule.cost import macs
from tessera.schedule.instructions import op_instructions

Make = Callable[[Network, TensorId], TensorId]

OPERATORS: dict[str, Make] = {
    "conv": lambda n, x: n.conv(x, 8),
    "pointwise": lambda n, x: n.conv(x, 8, (1, 1)),
    "depthwise": lambda n, x: n.depthwise(x),
    "average": lambda n, x: n.pool(ir.AvgPool2D, x, (2, 2), (2, 2)),
    "maximum": lambda n, x: n.pool(ir.MaxPool2D, x, (2, 2), (2, 2)),
    "sum": lambda n, x: n.two(ir.Add, x, x),
    "product": lambda n, x: n.two(ir.Mul, x, x),
    "prelu": lambda n, x: n.prelu(x),
    "mean": lambda n, x: n.mean(x),
    "mean_of_means": lambda n, x: n.mean_of_means(x),
    "softmax": lambda n, x: n.softmax(x),
    "lookup": lambda n, x: n.lookup(x),
    "nearest": lambda n, x: n.resize(ir.ResizeNearest, x, (2, 2), False, False),
    "bilinear": lambda n, x: n.resize(ir.ResizeBilinear, x, (2, 2), False, False),
    "concatenation": lambda n, x: n.concat(x, x),
    "pad": lambda n, x: n.pad(x, 1, 1, 1, 1),
}


ARM = KernelSet(Isa.ARMV7E_M)
SETS = {"portable": PORTABLE, "fast": ARM, "lean": KernelSet(Isa.ARMV7E_M, fast=False)}


def total(graph: Graph, kernels: KernelSet = PORTABLE, *, streamed: bool = False) -> int:
    return sum(op_instructions(graph, op, kernels, streamed=streamed) for op in graph.ops)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kernels", SETS.values(), ids=SETS)
@pytest.mark.parametrize("make", OPERATORS.values(), ids=OPERATORS)
def test_four_times_the_pixels_are_about_four_times_the_work(make: Make, kernels: KernelSet, streamed: bool) -> None:
    works = []
    for size in (16, 32):
        n = Network()
        works.append(total(n.graph(make(n, n.input(size, size, 8))), kernels, streamed=streamed))
    assert 3.5 * works[0] < works[1] < 4.5 * works[0]


def test_padding_is_no_work() -> None:
    """Windows see fewer pixels at the borders of a small map."""
    works = []
    for padding in ((0, 0, 0, 0), (1, 1, 1, 1)):
        n = Network()
        size = 8 if any(padding) else 10  # 8 x 8 windows both times
        works.append(total(n.graph(n.conv(n.input(size, size, 4), 4, (3, 3), padding=padding))))
    assert works[1] < works[0]


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_every_operator_does_something(graph: Graph) -> None:
    for kernels in SETS.values():
        for op in graph.ops:
            assert op_instructions(graph, op, kernels, streamed=False) >= graph.tensor(op.outputs[0]).size


def test_a_network_takes_some_instructions_a_mac() -> None:
    """On a Cortex-M4, as measured on whole networks: between 7 and 13 with the portable kernels, 0.9 and 1.5 with those
    of Armv7E-M; without scratch more, in a stage as well."""
    graph = build_graph(MOBILENETV2, width=0.35, size=96)
    assert 7 < total(graph) / macs(graph) < 13
    fast, streamed = total(graph, ARM), total(graph, ARM, streamed=True)
    assert 0.9 < fast / macs(graph) < 1.5
    assert fast < streamed < total(graph, SETS["lean"], streamed=True)
