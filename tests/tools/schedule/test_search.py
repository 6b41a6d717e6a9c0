"""The search on small networks: limits kept, more never worse than less, and on chains as good as trying everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import draw_inputs, networks
from search_nets import GRAPHS, convolutions, whole_mobilenet
from small_graphs import Builder

from tessera.interpreter.run import run
from tessera.ir.graph import Graph
from tessera.ir.verify import verify_graph
from tessera.memory.buffers import make_buffers, make_overlaps
from tessera.memory.planner import step_bytes
from tessera.schedule import search as search_module
from tessera.schedule import space as space_module
from tessera.schedule.cost import macs, macs_executed
from tessera.schedule.paths import Point
from tessera.schedule.region import Limits, Tile, stages_ending_at
from tessera.schedule.schedule import InputMode, Schedule
from tessera.schedule.search import (
    AGAIN,
    MOST_FACTOR,
    ONCE,
    Search,
    schedule_of,
    search_again,
    search_front,
    search_once,
    search_work,
    start_search,
)
from tessera.schedule.space import BASE, Edge, make_space, net_of

CASES = [pytest.param(graph, mode, id=f"{name}-{mode.value}") for name, graph in GRAPHS.items() for mode in InputMode]
MakeGraph = Callable[[], Graph]


@cache
def fronts(graph: MakeGraph, mode: InputMode) -> tuple[Search, tuple[Point, ...]]:
    return search_front(start_search(graph(), mode))


@cache
def least_once(graph: MakeGraph, mode: InputMode) -> tuple[Search, Point]:
    search, point = search_once(start_search(graph(), mode))
    assert point is not None
    return search, point


def pressure(schedule: Schedule) -> int:
    """Bytes that live together at the worst slot: no plan needs less."""
    buffers = make_buffers(schedule)
    return max(step_bytes(buffers, make_overlaps(schedule, buffers)))


def layers_only(graph: Graph) -> int:
    return max(e.bytes for e in make_space(graph, InputMode.RESIDENT).edges)


@pytest.mark.parametrize(("graph", "mode"), CASES)
def test_once_computes_nothing_again(graph: MakeGraph, mode: InputMode) -> None:
    search, point = least_once(graph, mode)
    schedule = schedule_of(search.space, point)
    assert point.macs == macs_executed(schedule) == search.macs == macs(graph())
    assert pressure(schedule) <= point.bytes <= layers_only(graph())
    in_place = graph.__name__ == "squeezed"  # a mean needs its depthwise map whole, and that lies over its input
    assert in_place or point.bytes < layers_only(graph())


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_an_image_that_is_pulled_never_needs_more(graph: MakeGraph) -> None:
    resident, streamed, reread = (least_once(graph, mode)[1].bytes for mode in InputMode)
    assert reread <= streamed <= resident


@pytest.mark.parametrize(("graph", "mode"), [c for c in CASES if "mobilenet" not in str(c.id)])
def test_the_front_is_made_of_schedules(graph: MakeGraph, mode: InputMode) -> None:
    search, points = fronts(graph, mode)
    assert points
    for less, more in pairwise(points):
        assert less.bytes < more.bytes
        assert less.macs > more.macs
    assert points[-1].macs == search.macs
    assert points[-1].bytes <= least_once(graph, mode)[1].bytes
    for point in points:
        schedule = schedule_of(search.space, point)
        assert macs_executed(schedule) == point.macs <= MOST_FACTOR * search.macs
        assert pressure(schedule) <= point.bytes
        assert schedule.input_mode is mode


def test_rewritten_schedules_compute_the_same() -> None:
    graph = GRAPHS["squeezed"]()
    search, points = fronts(GRAPHS["squeezed"], InputMode.STREAMED)
    rewritten = [p for p in points if any(e.variant != BASE for e in p.edges)]
    assert rewritten
    inputs = draw_inputs(graph, 0)
    expected = run(graph, inputs)
    for point in rewritten:
        other = schedule_of(search.space, point).graph
        verify_graph(other)
        values = run(other, inputs)
        for t in graph.outputs:
            assert np.array_equal(values[t], expected[t])


@pytest.mark.parametrize(("graph", "mode"), [c for c in CASES if str(c.id) in ("squeezed-streamed", "chain-reread")])
def test_more_macs_never_need_more_memory(graph: MakeGraph, mode: InputMode) -> None:
    search, once = least_once(graph, mode)
    found = [once.bytes]
    for factor in (1.0, 1.02, 1.1, 1.3, 1.7):
        _, point = search_again(search, once.bytes, factor)
        assert point is not None
        assert point.macs <= factor * search.macs
        found.append(point.bytes)
    assert found == sorted(found, reverse=True)
    assert found[-1] < found[0]


@pytest.mark.parametrize("factor", [1.0, 1.2, None])
@pytest.mark.parametrize("name", ["chain", pytest.param("squeezed", marks=pytest.mark.slow)])
def test_least_work_keeps_within_both_limits(name: str, factor: float | None) -> None:
    graph, mode = GRAPHS[name], InputMode.STREAMED
    start = start_search(graph(), mode)
    most = None if factor is None else int(factor * start.macs)
    costs: list[int] = []
    for point in fronts(graph, mode)[1][:: 3 if name == "squeezed" else 1]:
        search, found = search_work(start, point.bytes, most)
        if point.macs <= (most if most is not None else MOST_FACTOR * start.macs):
            assert found is not None
        if found is not None:
            assert found.bytes <= point.bytes
            assert found.macs <= (most if most is not None else MOST_FACTOR * start.macs)
            assert macs_executed(schedule_of(search.space, found)) == found.macs
            costs.append(found.cost)
    assert costs == sorted(costs, reverse=True)  # more memory never needs more instructions


def test_with_memory_enough_layers_run() -> None:
    graph = GRAPHS["mobilenet"]()
    search, point = search_work(start_search(graph, InputMode.RESIDENT), layers_only(graph), None)
    assert point is not None
    assert all(e.stage is None for e in point.edges)
    assert all(stage.is_layer for stage in schedule_of(search.space, point).stages)


@pytest.mark.parametrize("mode", [InputMode.STREAMED, InputMode.REREAD])
def test_with_memory_enough_only_the_image_is_streamed_and_nothing_else_is_looked_for(
    mode: InputMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = GRAPHS["mobilenet"]()
    monkeypatch.setattr(search_module, "search_once", None)
    search, point = search_work(start_search(graph, mode), layers_only(graph), None)
    assert point is not None
    assert [(e.first, e.stage is None) for e in point.edges] == [(i, i > 0) for i in range(len(point.edges))]
    assert schedule_of(search.space, point).input_mode is mode


@pytest.mark.parametrize("mode", list(InputMode))
def test_too_little_memory_is_impossible(mode: InputMode) -> None:
    start = start_search(GRAPHS["chain"](), mode)
    assert search_work(start, 64, None)[1] is None
    least = fronts(GRAPHS["chain"], mode)[1][0].bytes
    assert search_work(start, least - 1, None)[1] is None


def test_where_least_instructions_execute_too_many_macs_others_are_found() -> None:
    """The path of least instructions is not the only one that fits."""
    start = start_search(convolutions((4, 1)), InputMode.RESIDENT)

    def edge(edge_macs: int, cost: int) -> Edge:
        return Edge(0, 1, 10, edge_macs, cost, BASE, 0, 0, None)

    space = space_module.Space(start.space.net, (), edges=(edge(200, 1), edge(100, 5), edge(120, 7)))
    for most, expected in ((250, 200), (150, 100)):
        point = search_work(Search(space, 1 << 20), 1 << 19, most)[1]
        assert point is not None
        assert point.macs == expected


def test_the_same_again_and_with_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = GRAPHS["squeezed"]
    expected = fronts(graph, InputMode.STREAMED)[1]
    assert search_front(start_search(graph(), InputMode.STREAMED))[1] == expected
    monkeypatch.setattr(space_module, "SMALL_JOB", 1 << 20)  # none at all
    assert search_front(start_search(graph(), InputMode.STREAMED))[1] == expected


def everything(graph: Graph, mode: InputMode, tiles: tuple[Tile, ...], most_macs: int) -> int:
    """Least bytes of all partitions of a chain into stages, of all stages without anything left out."""
    net = net_of(graph, mode)
    options: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for j in range(len(net.nodes)):
        layer = net.layer_bytes(j)
        if layer is not None:
            options.setdefault((j, j), set()).add((layer, net.nodes[j].macs))
        for tile in tiles:
            for i, cost in stages_ending_at(net, j, tile, Limits(1 << 40, 1 << 60, 1 << 30)):
                options.setdefault((i, j), set()).add((cost.bytes, cost.macs))

    def totals(first: int) -> Iterator[tuple[int, int]]:
        if first == len(net.nodes):
            yield 0, 0
        for last in range(first, len(net.nodes)):
            rest = set(totals(last + 1))
            for nbytes, work in options.get((first, last), ()):
                yield from ((max(nbytes, b), work + m) for b, m in rest)

    return min(nbytes for nbytes, work in totals(0) if work <= most_macs)


CHAINS = [
    convolutions((12, 1), (8, 2), (4, 1)),
    convolutions((6, 2), (12, 1), (12, 1), (4, 2), size=24),
    convolutions((10, 1), (3, 1), (10, 2), size=13),
    convolutions((8, 1), (8, 3), (16, 1), size=17, kernel=5),
]


@pytest.mark.parametrize("mode", list(InputMode))
@pytest.mark.parametrize("number", range(len(CHAINS)))
def test_a_chain_as_good_as_trying_everything(number: int, mode: InputMode) -> None:
    graph = CHAINS[number]
    search, once = search_once(start_search(graph, mode))
    assert once is not None
    assert once.bytes == everything(graph, mode, ONCE, search.macs)
    for factor in (1.05, 1.5):
        _, again = search_again(search, once.bytes, factor)
        assert again is not None
        assert again.bytes == everything(graph, mode, (*ONCE, *AGAIN), int(factor * search.macs))


def test_no_schedule_where_no_stage_can_pull_the_input() -> None:
    """Two readers of a map of one row that see other rows of padding: none of the tiles fits both."""
    b = Builder()
    x = b.input(1, 1, 2, 2)
    graph = b.graph(b.conv(x, 1, (3, 1), (1, 1), (1, 1, 0, 0)), b.conv(x, 1, (2, 1), (1, 1), (0, 1, 0, 0)))
    assert search_once(start_search(graph, InputMode.REREAD))[1] is None


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks(5), st.sampled_from(InputMode), st.floats(1, 2))
def test_random_networks(graph: Graph, mode: InputMode, factor: float) -> None:
    """Whatever is found can be built, and is what it was taken for."""
    read = {t for op in graph.ops for t in op.inputs}
    unread = {t for op in graph.ops for t in op.outputs} - read
    graph = replace(graph, outputs=tuple(sorted({*graph.outputs, *unread})))
    search, once = search_once(start_search(graph, mode))
    search, again = search_again(search, once.bytes if once is not None else search.unbounded, factor)
    for point in (once, again):
        if point is not None:
            schedule = schedule_of(search.space, point)
            assert macs_executed(schedule) == point.macs <= factor * search.macs
            assert pressure(schedule) <= point.bytes
    if once is not None:
        assert once.macs == search.macs
        assert again is not None
        assert again.bytes <= once.bytes


@pytest.mark.slow
def test_a_whole_network() -> None:
    graph = whole_mobilenet()
    search, once = search_once(start_search(graph, InputMode.STREAMED))
    assert once is not None
    search, again = search_again(search, once.bytes, 1.05)
    assert again is not None
    for point in (once, again):
        schedule = schedule_of(search.space, point)
        assert macs_executed(schedule) == point.macs
        assert pressure(schedule) <= point.bytes
    assert again.bytes <= once.bytes < layers_only(graph) / 3
