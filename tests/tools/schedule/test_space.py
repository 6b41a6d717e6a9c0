"""Cuts and edges: what a rewritten block shares with the graph, and what is searched where."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from search_nets import chain, mobilenet, squeezed

from tessera.schedule.net import Net
from tessera.schedule.region import FULL, Limits, Tile
from tessera.schedule.rewrite import order_ops
from tessera.schedule.schedule import InputMode
from tessera.schedule.space import (
    BASE,
    BEHIND,
    Cut,
    Space,
    detour,
    grow,
    jobs_of,
    make_space,
    net_of,
    open_blocks,
)

ANY = Limits(1 << 30, 1 << 40)


def opened(extra_macs: int = 0) -> Space:
    space = make_space(squeezed(), InputMode.STREAMED)
    return open_blocks(space, range(len(space.blocks)), extra_macs)


def net_at(space: Space, variant: int) -> Net:
    return space.net if variant == BASE else space.nets[variant]


def test_layers_are_a_path() -> None:
    space = make_space(mobilenet(), InputMode.RESIDENT)
    assert [(e.start, e.end) for e in space.edges] == list(pairwise(range(len(space.net.nodes) + 1)))
    assert [e.bytes for e in space.edges] == [space.net.layer_bytes(i) for i in range(len(space.net.nodes))]
    assert sum(e.macs for e in space.edges) == space.net.macs
    assert [n.name for n in space.net.nodes] == [n.name for n in net_of(space.net.graph, InputMode.RESIDENT).nodes]


def test_where_stages_pull_the_image_no_layer_reads_it() -> None:
    space = make_space(chain(), InputMode.STREAMED)
    assert [e.first for e in space.edges] == [1, 2]


def test_a_detour_begins_and_ends_where_the_same_maps_live() -> None:
    space = opened()
    assert space.variants
    for v, net in enumerate(space.nets):
        lo, hi, extra = detour(space, v)
        assert extra == len(net.nodes) - len(space.net.nodes) > 0
        assert [n.name for n in net.nodes[:lo]] == [n.name for n in space.net.nodes[:lo]]
        assert [n.name for n in net.nodes[hi:]] == [n.name for n in space.net.nodes[hi - extra :]]
        for cut in (*range(lo + 1), *range(hi, len(net.nodes) + 1)):
            base = cut if cut <= lo else cut - extra
            assert net.live[cut] == space.net.live[base]


def test_edges_lead_from_cut_to_cut_of_their_own_graph() -> None:
    space = opened()
    jobs = [job for v in (BASE, *range(len(space.variants))) for job in jobs_of(space, v, ANY)]
    space = grow(space, jobs, [Tile(1, FULL)], ANY)

    def cut_at(variant: int, at: int) -> Cut:
        if variant == BASE:
            return at
        lo, hi, extra = detour(space, variant)
        return at if at <= lo else at - extra if at >= hi else (variant, at)

    for e in space.edges:
        assert (e.start, e.end) == (cut_at(e.variant, e.first), cut_at(e.variant, e.last + 1))
        if e.variant != BASE:  # else the graph has it too
            lo, hi, _ = detour(space, e.variant)
            assert e.first < hi
            assert e.last >= lo
        if e.stage is not None:
            nodes = net_at(space, e.variant).nodes[e.first : e.last + 1]
            assert [c.tensor for c in e.stage.choices[e.stage.pulled :]] == [n.out for n in nodes]
            assert (e.bytes, e.macs, e.cost) == e.stage[:3]


def test_of_stages_with_the_same_ends_none_is_better_in_everything() -> None:
    space = make_space(chain(), InputMode.STREAMED)
    space = grow(space, jobs_of(space, BASE, ANY), [Tile(1, 4), Tile(2, 4), Tile(1, FULL), Tile(1, 4, True)], ANY)
    stages = [e for e in space.edges if e.stage is not None]
    assert len({(e.start, e.end) for e in stages}) == 6  # all pairs of cuts of three operators
    for e in stages:
        for f in stages:
            if (e.start, e.end) == (f.start, f.end) and e != f:
                assert not (f.bytes <= e.bytes and f.macs <= e.macs and f.cost <= e.cost)


def test_what_is_computed_twice_is_not_searched_where_nothing_may_be() -> None:
    space = opened()
    for v, variant in enumerate(space.variants):
        jobs = jobs_of(space, v, replace(ANY, extra_macs=0))
        assert bool(jobs) == (not variant.repeated)
        lo, hi, _ = detour(space, v)
        for _, j in jobs:
            assert lo <= j < hi + BEHIND


def test_opening_twice_adds_only_what_is_new() -> None:
    space = opened()
    again = open_blocks(space, range(len(space.blocks)), 0)
    assert again.variants == space.variants
    assert again.edges == space.edges
    more = open_blocks(space, range(len(space.blocks)), space.net.macs // 20)
    assert len(more.variants) > len(space.variants)
    assert more.edges[: len(space.edges)] == space.edges


def test_a_block_of_layers_is_a_way_through() -> None:
    """The rewritten layers are edges, of the block only."""
    space = opened()
    for v in range(len(space.variants)):
        lo, hi, _ = detour(space, v)
        covered = [e.first for e in space.edges if e.variant == v]
        assert covered == [k for k in range(lo, hi) if space.nets[v].layer_bytes(k) is not None]


def test_progress_counts_every_job() -> None:
    space, calls = make_space(chain(), InputMode.STREAMED), list[tuple[str, int, int]]()

    def progress(what: str, done: int, of: int) -> None:
        calls.append((what, done, of))

    grow(space, jobs_of(space, BASE, ANY), [Tile(1, 4)], ANY, progress)
    assert calls == [("stages", k + 1, 3) for k in range(3)]


@pytest.mark.parametrize("small_job", [0, 1 << 20])
def test_other_processes_find_the_same_in_the_same_order(monkeypatch: pytest.MonkeyPatch, small_job: int) -> None:
    space = make_space(mobilenet(), InputMode.STREAMED)
    expected = grow(space, jobs_of(space, BASE, ANY), [Tile(1, 8)], ANY).edges
    monkeypatch.setattr("tessera.schedule.space.SMALL_JOB", small_job)
    assert grow(space, jobs_of(space, BASE, ANY), [Tile(1, 8)], ANY).edges == expected


def test_the_graph_of_a_space_is_in_its_order() -> None:
    space = make_space(squeezed(), InputMode.RESIDENT)
    order = [n.op for n in space.net.nodes]
    assert order_ops(space.net.graph, order).ops == space.net.graph.ops
