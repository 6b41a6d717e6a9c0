"""Sweeps of stages small enough to write down, and how they relate in all others."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import networks
from small_graphs import Builder, three_ops

from tessera.ir.attrs import ResizeNearest
from tessera.ir.graph import Graph
from tessera.schedule.build import build_stage
from tessera.schedule.check import computed_spans
from tessera.schedule.net import make_net
from tessera.schedule.region import FULL, Limits, Tile, stages_ending_at
from tessera.schedule.schedule import InputMode, Stage, Sweep

ANY = Limits(1 << 30, 1 << 40)
ONCE = Limits(1 << 30, 0)


def whole_graph_as_one_stage(graph: Graph, tile: Tile, mode: InputMode = InputMode.RESIDENT) -> Stage:
    """The first that the search finds where nothing is computed again."""
    net = make_net(graph, tuple(range(len(graph.ops))), mode)
    cost = next(c for i, c in stages_ending_at(net, len(net.nodes) - 1, tile, ONCE) if i == 0)
    return build_stage(net, 0, len(net.nodes) - 1, cost)


def test_rows_of_a_chain() -> None:
    """16 rows, 8 by a stride of 2, 8 of a 3x3 that sees one row below, 8 more of a 1x1; one row of the last a tick."""
    stage = whole_graph_as_one_stage(three_ops(), Tile(1, FULL), InputMode.STREAMED)
    image, conv, depthwise, pointwise = stage.maps
    # row t of depthwise sees row t + 1 of conv, and that row 2 (t + 1) + 2 of the image: a tick ahead each
    assert (stage.row_ticks, stage.col_ticks) == (10, 1)
    assert image.rows == Sweep(1, 0, 2, -1, 2)
    assert conv.rows == Sweep(1, 1, 1, 0, 1)
    assert depthwise.rows == pointwise.rows == Sweep(1, 2, 1, 0, 1)
    assert (image.lines, image.windowed) == (3, False)
    assert [m.cols for m in stage.maps] == [Sweep(1, 0, w, 0, w) for w in (16, 8, 8, 8)]
    assert (conv.lines, conv.windowed, conv.left) == (2, True, 0)
    assert (depthwise.lines, depthwise.windowed) == (0, True)
    assert (pointwise.lines, pointwise.windowed) == (8, False)


def test_columns_of_a_chain() -> None:
    """Spans of 8 columns of the image, 4 of the maps behind its stride: what is to the right comes a column later."""
    stage = whole_graph_as_one_stage(three_ops(), Tile(1, 8))
    conv, depthwise, pointwise = stage.maps
    assert stage.col_ticks == 3
    assert conv.cols == Sweep(1, 0, 4, -3, 4)  # [.., 1), [1, 5), [5, 9)
    assert conv.left == 2
    assert depthwise.cols == pointwise.cols == Sweep(1, 1, 4, 0, 4)


def test_behind_a_stride_a_map_fires_at_every_other_tick() -> None:
    b = Builder()
    fast = b.lookup(b.conv(b.input(1, 12, 12, 2), 4))
    graph = b.graph(b.conv(b.lookup(fast), 2, (2, 2), (2, 2)), fast)
    stage = whole_graph_as_one_stage(graph, Tile(1, FULL))
    assert stage.row_ticks == 12
    assert [m.rows for m in stage.maps] == [Sweep(1, 0, 1, 0, 1)] * 3 + [Sweep(2, 1, 1, 0, 1)]
    assert [m.lines for m in stage.maps] == [0, 12, 1, 6]  # the second is an output


def test_a_branch_that_comes_later_is_waited_for() -> None:
    """Through a 3x3 by a stride of 2 and back by an enlargement: two rows at every other tick, of both."""
    b = Builder()
    x = b.conv(b.input(1, 12, 12, 2), 4)
    y = b.conv(b.depthwise(x, (3, 3), (2, 2), (0, 1, 0, 1)), 3)
    up = b.op(ResizeNearest(False, False), (y,), (1, 12, 12, 3))
    stage = whole_graph_as_one_stage(b.graph(b.concat(x, up)), Tile(2, FULL))
    assert stage.row_ticks == 13
    early, depthwise, pointwise, enlarged, joined = (m.rows for m in stage.maps)
    assert early == Sweep(1, 0, 1, 0, 1)
    assert depthwise == pointwise == Sweep(2, 2, 1, 0, 1)  # a row of the depthwise sees three of x
    assert enlarged == joined == Sweep(2, 2, 2, 0, 2)
    assert stage.maps[0].lines == 2


def test_an_enlargement_makes_two_rows_of_one() -> None:
    b = Builder()
    x = b.conv(b.input(1, 6, 6, 2), 4)
    up = b.op(ResizeNearest(False, False), (x,), (1, 12, 12, 4))
    stage = whole_graph_as_one_stage(b.graph(b.conv(up, 2)), Tile(2, FULL))
    assert [(m.rows.period, m.rows.step, m.rows.size) for m in stage.maps] == [(1, 1, 1), (1, 2, 2), (1, 2, 2)]
    assert stage.row_ticks == 6


def test_a_pulled_row_comes_at_the_first_of_the_spans() -> None:
    stage = whole_graph_as_one_stage(three_ops(), Tile(1, 8), InputMode.STREAMED)
    image = stage.maps[0]
    assert not image.windowed
    assert [t for t in range(stage.col_ticks) if image.cols.fires(t)] == [0]
    assert image.cols.span(0) == (0, 16)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    networks(),
    st.sampled_from(InputMode),
    st.builds(Tile, st.integers(1, 3), st.sampled_from((1, 2, 4, FULL)), st.booleans()),
)
def test_every_map_is_completed_and_no_tick_is_for_nothing(graph: Graph, mode: InputMode, tile: Tile) -> None:
    net = make_net(graph, tuple(range(len(graph.ops))), mode)
    for j in range(len(net.nodes)):
        for i, cost in stages_ending_at(net, j, tile, ANY):
            stage = build_stage(net, i, j, cost)
            assert stage.ops == tuple(range(i, j + 1))
            assert [m.tensor for m in stage.maps] == [c.tensor for c in cost.choices]
            assert min(m.rows.phase for m in stage.maps) == min(m.cols.phase for m in stage.maps) == 0
            for m, node in zip(stage.maps[cost.pulled :], net.nodes[i : j + 1], strict=True):
                size = net.maps[node.sources[0].tensor if node.reduces else node.out]
                for sweep, ticks, count in ((m.rows, stage.row_ticks, size.h), (m.cols, stage.col_ticks, size.w)):
                    spans = computed_spans(sweep, ticks, count)
                    assert {y for begin, end in spans for y in range(begin, end)} == set(range(count))
            assert any(m.rows.fires(stage.row_ticks - 1) for m in stage.maps)
            assert any(m.cols.fires(stage.col_ticks - 1) for m in stage.maps)
