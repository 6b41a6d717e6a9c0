"""What the search believes of a stage, against the stage that it builds: MACs, bytes, and that it can run at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from networks import networks
from search_nets import squeezed
from small_graphs import CLAMP, Builder, three_ops

from tessera.ir.attrs import Mul
from tessera.ir.graph import Graph
from tessera.memory.buffers import make_buffers, make_overlaps
from tessera.memory.planner import step_bytes
from tessera.schedule.build import build_stage
from tessera.schedule.cost import input_bytes_pulled, macs_executed, op_macs, op_macs_executed
from tessera.schedule.net import Net, make_net
from tessera.schedule.region import FULL, Limits, StageCost, Tile, region_start, stages_ending_at
from tessera.schedule.rewrite import apply, find_blocks, variants_of
from tessera.schedule.schedule import InputMode, Schedule, Stage
from tessera.schedule.slots import stage_slots
from tessera.schedule.verify import verify_schedule

ANY = Limits(1 << 30, 1 << 40)
TILES = [Tile(rows, cols, again) for rows in (1, 2, 3) for cols in (1, 2, 4, FULL) for again in (False, True)]

many = settings(
    max_examples=100,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@st.composite
def live_networks(draw: st.DrawFn) -> Graph:
    """What nobody reads is an output: a pass has removed the rest."""
    graph = draw(networks())
    read = {t for op in graph.ops for t in op.inputs}
    unread = {t for op in graph.ops for t in op.outputs} - read
    return replace(graph, outputs=tuple(sorted({*graph.outputs, *unread})))


def net_of(graph: Graph, mode: InputMode) -> Net:
    return make_net(graph, tuple(range(len(graph.ops))), mode)


def stages(net: Net, tiles: list[Tile], limits: Limits) -> Iterator[tuple[int, int, StageCost]]:
    for j in range(len(net.nodes)):
        for tile in tiles:
            for i, cost in stages_ending_at(net, j, tile, limits):
                yield i, j, cost


def among_layers(net: Net, i: int, j: int, cost: StageCost) -> Schedule | None:
    """None where a layer would read an input that only stages pull."""
    if any(net.layer_bytes(k) is None for k in range(len(net.nodes)) if not i <= k <= j):
        return None
    layers = [Stage((n.op,)) for n in net.nodes]
    return Schedule(net.graph, (*layers[:i], build_stage(net, i, j, cost), *layers[j + 1 :]), net.mode)


def pressure(schedule: Schedule, number: int) -> int:
    """Bytes that a plan needs while one stage runs."""
    buffers = make_buffers(schedule)
    begin, end = stage_slots(schedule)[number]
    return max(step_bytes(buffers, make_overlaps(schedule, buffers))[begin:end])


def assert_costs_are_those_of_what_is_built(net: Net, tiles: list[Tile], limits: Limits = ANY) -> int:
    """How many stages that was shown for."""
    count = 0
    for i, j, cost in stages(net, tiles, limits):
        schedule = among_layers(net, i, j, cost)
        if schedule is None:
            continue
        verify_schedule(schedule)
        assert cost.macs == sum(op_macs_executed(schedule, i, net.graph.ops[k]) for k in schedule.stages[i].ops)
        needed = pressure(schedule, i)
        assert cost.bytes >= needed
        if not make_overlaps(schedule, make_buffers(schedule)):
            assert cost.bytes == needed
        count += 1
    return count


@many
@given(live_networks(), st.sampled_from(InputMode), st.sampled_from(TILES))
def test_every_stage_is_what_it_was_taken_for(graph: Graph, mode: InputMode, tile: Tile) -> None:
    assert_costs_are_those_of_what_is_built(net_of(graph, mode), [tile])


@pytest.mark.parametrize("tile", [Tile(1, 4), Tile(1, FULL), Tile(2, 4, True)])
def test_stages_of_rewritten_blocks_are_too(tile: Tile) -> None:
    """A residual sum around a squeeze-and-excite block: the stage's last map may eat its operand as it is read."""
    graph = squeezed()
    few = Limits(1 << 30, 1 << 40, 3)
    for variant in variants_of(find_blocks(graph)[0], 0.3)[2:4]:
        assert assert_costs_are_those_of_what_is_built(net_of(apply(graph, variant), InputMode.RESIDENT), [tile], few)


@many
@given(live_networks(), st.sampled_from(InputMode), st.sampled_from(TILES))
def test_nothing_is_computed_again_where_no_macs_are_left_for_it(graph: Graph, mode: InputMode, tile: Tile) -> None:
    net = net_of(graph, mode)
    for i, j, cost in stages(net, [tile], Limits(1 << 30, 0)):
        assert cost.macs == sum(op_macs(graph, graph.ops[n.op]) for n in net.nodes[i : j + 1])


@many
@given(live_networks(), st.sampled_from(TILES), st.integers(0, 400), st.integers(0, 200))
def test_limits_leave_out_what_is_above_them(graph: Graph, tile: Tile, nbytes: int, extra_macs: int) -> None:
    net = net_of(graph, InputMode.RESIDENT)
    for i, j, cost in stages(net, [tile], Limits(nbytes, extra_macs)):
        assert cost.bytes <= nbytes
        for choice, node in zip(cost.choices[cost.pulled :], net.nodes[i : j + 1], strict=True):
            alone = Schedule(graph, (build_stage(net, i, j, cost),), net.mode)
            assert choice.tensor == node.out
            assert op_macs_executed(alone, 0, graph.ops[node.op]) <= node.macs + extra_macs


def test_a_halo_behind_the_last_row_is_no_work() -> None:
    """Of 8 rows in two steps of 4, each with a row above and below: 5 + 5, not another one for a third step."""
    b = Builder()
    x = b.conv(b.input(1, 8, 8, 1), 2)
    graph = b.graph(b.depthwise(x, (3, 3), padding=(1, 1, 1, 1)))
    net = net_of(graph, InputMode.RESIDENT)
    found = [c for i, j, c in stages(net, [Tile(4, 4, True)], ANY) if (i, j) == (0, 1)]
    assert [c.macs for c in found] == [8 * 8 * 2 * 9 + 10 * 10 * 2]
    schedule = Schedule(graph, (build_stage(net, 0, 1, found[0]),))
    assert macs_executed(schedule) == found[0].macs


def test_a_window_whose_rows_are_kept_is_not_written_over() -> None:
    """The lookup reads last, at the same place as it writes, but what it reads goes to the lines only then."""
    b = Builder()
    x = b.conv(b.input(1, 12, 12, 4), 8)
    above = b.depthwise(x, (3, 3), padding=(2, 0, 2, 0))
    graph = b.graph(b.conv(b.add(above, b.lookup(x)), 3))
    net = net_of(graph, InputMode.RESIDENT)
    for i, j, cost in stages(net, TILES, ANY):
        schedule = among_layers(net, i, j, cost)
        assert schedule is not None
        assert cost.bytes >= pressure(schedule, i)


def test_what_keeping_and_computing_again_need() -> None:
    """Two operators on 16 x 16 x 8, row by row: of the map between, three rows live at a tick."""
    b = Builder()
    x = b.conv(b.input(1, 16, 16, 4), 8)
    graph = b.graph(b.depthwise(x, (3, 3), padding=(1, 1, 1, 1)))
    net = net_of(graph, InputMode.RESIDENT)
    ends = 16 * 16 * 4 + 16 * 16 * 8
    found = sorted((c.bytes, c.macs) for i, _, c in stages(net, [Tile(1, FULL)], ANY) if i == 0)
    row = 16 * 8
    lead = 2 * row  # the output starts this far below the input, and both are as long
    once, again = net.macs, net.macs + (2 * 15 + 2 - 2) * 16 * 4 * 8
    assert (ends + 2 * row + row - (ends - max(16 * 16 * 8, lead + 16 * 16 * 4)), once) in found
    assert [macs for _, macs in found if macs > once] == [again]


def test_a_reduction_ends_a_stage_and_a_layer_breaks_it() -> None:
    b = Builder()
    x = b.conv(b.conv(b.input(1, 8, 8, 4), 8), 8)  # 0, 1
    mean = b.mean(x)  # 2
    y = b.op(Mul(CLAMP), (x, b.lookup(mean)), b.shape(x))  # 3: a layer; 4
    graph = b.graph(b.conv(y, 4))  # 5
    net = net_of(graph, InputMode.RESIDENT)
    assert [region_start(net, j) for j in range(6)] == [0, 0, 0, 3, 4, 4]
    found = {(i, j) for i, j, _ in stages(net, [Tile(1, FULL)], ANY)}
    assert found == {(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2), (4, 4), (4, 5), (5, 5)}


def test_what_is_read_through_a_view_exists_whole_before() -> None:
    """The channels of a product come from a map of 2 x 2, viewed as a vector: nobody streams that."""
    b = Builder()
    image = b.input(1, 2, 2, 4)
    x = b.conv(image, 2)  # 0
    y = b.conv(image, 8)  # 1
    graph = b.graph(b.op(Mul(CLAMP), (y, b.reshape(x, 1, 1, 1, 8)), b.shape(y)))  # 2 is the view
    net = make_net(graph, (0, 1, 3), InputMode.RESIDENT)
    assert {(i, j) for i, j, _ in stages(net, TILES, ANY)} == {(0, 0), (0, 1), (1, 1), (1, 2), (2, 2)}


@pytest.mark.parametrize("mode", list(InputMode))
def test_a_pulled_image_is_in_the_stage_that_reads_it(mode: InputMode) -> None:
    graph = three_ops()
    net = net_of(graph, mode)
    costs = [c for i, j, c in stages(net, [Tile(1, FULL), Tile(1, 8)], ANY) if (i, j) == (0, 2)]
    assert {c.pulled for c in costs} == {0 if mode is InputMode.RESIDENT else 1}
    for cost in costs:
        schedule = Schedule(graph, (build_stage(net, 0, 2, cost),), mode)
        verify_schedule(schedule)
        once = 0 if mode is InputMode.RESIDENT else 16 * 16 * 3
        assert input_bytes_pulled(schedule) == once if mode is not InputMode.REREAD else True
        if mode is not InputMode.RESIDENT:
            assert schedule.stages[0].maps[0].tensor == graph.inputs[0]
