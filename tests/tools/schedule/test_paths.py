"""Paths against all paths of small spaces whose edges are drawn at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Network

from tessera.ir.graph import Graph
from tessera.schedule.paths import (
    Point,
    Weight,
    by_instructions,
    by_macs,
    by_macs_then_bytes,
    front,
    least_bytes,
    least_work,
)
from tessera.schedule.schedule import InputMode
from tessera.schedule.space import BASE, Cut, Edge, Space, detour, make_space, open_blocks

WEIGHTS = (by_macs, by_instructions, by_macs_then_bytes)


@cache
def skeleton() -> Space:
    """Four operators, the middle two of them a block with two rewritings; its own edges are not used."""
    n = Network()
    x = n.conv(n.input(6, 6, 2), 2)
    x = n.lookup(n.depthwise(n.conv(x, 8, (1, 1))))
    space = open_blocks(make_space(n.graph(x), InputMode.RESIDENT), [0], 0)
    assert len(space.net.nodes) == 4
    assert [detour(space, v) for v in range(2)] == [(1, 6, 3), (1, 10, 7)]
    return replace(space, edges=())


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    space, numbers = skeleton(), st.integers(0, 6)
    edges: list[Edge] = []
    for _ in range(draw(st.integers(0, 24))):
        variant = draw(st.sampled_from((BASE, 0, 1)))
        own: list[Cut] = [0, 1, 2, 3, 4] if variant == BASE else [0, 1, *((variant, at) for at in (2, 3, 4)), 3, 4]
        first = draw(st.integers(0, len(own) - 2))
        last = draw(st.integers(first + 1, len(own) - 1))
        cost = draw(numbers), draw(numbers), draw(numbers)
        edges.append(Edge(own[first], own[last], *cost, variant, first, last - 1, None))
    return replace(space, edges=tuple(edges))


def all_paths(space: Space, at: Cut = 0) -> Iterator[tuple[Edge, ...]]:
    if at == len(space.net.nodes):
        yield ()
        return
    for e in space.edges:
        if e.start == at:
            yield from ((e, *rest) for rest in all_paths(space, e.end))


def totals(path: Sequence[Edge]) -> tuple[int, int, int]:
    return max(e.bytes for e in path), sum(e.macs for e in path), sum(e.cost for e in path)


def assert_is_a_path(space: Space, point: Point) -> None:
    at: Cut = 0
    for e in point.edges:
        assert e in space.edges
        assert e.start == at
        at = e.end
    assert at == len(space.net.nodes)
    assert (point.bytes, point.macs, point.cost) == totals(point.edges)


@settings(max_examples=200, deadline=None)
@given(spaces(), st.integers(0, 7), st.sampled_from(WEIGHTS))
def test_least_work_is_least_of_all_paths_within_the_limit(space: Space, limit: int, weigh: Weight) -> None:
    fitting = [p for p in all_paths(space) if totals(p)[0] <= limit]
    point = least_work(space, limit, weigh)
    assert (point is None) == (not fitting)
    if point is not None:
        assert_is_a_path(space, point)
        assert point.bytes <= limit
        assert sum(map(weigh, point.edges)) == min(sum(map(weigh, p)) for p in fitting)


@settings(max_examples=200, deadline=None)
@given(spaces(), st.integers(0, 20))
def test_least_bytes_is_least_of_all_paths_that_execute_few_enough_macs(space: Space, most: int) -> None:
    fitting = [totals(p)[:2] for p in all_paths(space) if totals(p)[1] <= most]
    point = least_bytes(space, most)
    assert (point is None) == (not fitting)
    if point is not None:
        assert_is_a_path(space, point)
        assert (point.bytes, point.macs) == min(fitting)


@settings(max_examples=200, deadline=None)
@given(spaces(), st.integers(0, 30))
def test_the_front_is_that_of_all_paths(space: Space, most: int) -> None:
    every = {totals(p)[:2] for p in all_paths(space) if totals(p)[1] <= most}
    best = sorted(p for p in every if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in every))
    points = front(space, most)
    assert [(p.bytes, p.macs) for p in points] == best
    for p in points:
        assert_is_a_path(space, p)
        least = least_bytes(space, p.macs)
        assert least is not None
        assert (least.bytes, least.macs) == (p.bytes, p.macs)


def test_no_operators_have_one_path() -> None:
    nothing = Space(make_space(Graph("empty", (), (), (), ()), InputMode.RESIDENT).net, ())
    assert least_bytes(nothing, 0) == Point(0, 0, 0, ())
    assert least_work(nothing, 0) == Point(0, 0, 0, ())
