"""Stages that the search would run of random networks, for tests of what checks and plans them."""

from __future__ import annotations

from hypothesis import strategies as st
from networks import networks

from tessera.schedule.build import build_stage
from tessera.schedule.net import make_net
from tessera.schedule.region import FULL, Limits, Tile, stages_ending_at
from tessera.schedule.schedule import InputMode, Schedule, Stage

TILES = [Tile(rows, cols, again) for rows in (1, 2, 3) for cols in (1, 2, 4, FULL) for again in (False, True)]
ANY = Limits(1 << 30, 1 << 40)


@st.composite
def streamed_schedules(draw: st.DrawFn, most_ops: int = 6) -> tuple[Schedule, int]:
    """Layers but for one stage, and its number; -1 where there is no stage."""
    graph, mode = draw(networks(most_ops)), draw(st.sampled_from(InputMode))
    net = make_net(graph, tuple(range(len(graph.ops))), mode)
    layers = [Stage((n.op,)) for n in net.nodes]
    tile, j = draw(st.sampled_from(TILES)), draw(st.integers(0, len(layers) - 1).map(lambda k: len(layers) - 1 - k))
    found = [
        (i, cost)
        for i, cost in stages_ending_at(net, j, tile, ANY)
        if all(net.layer_bytes(k) is not None for k in range(len(layers)) if not i <= k <= j)
    ]
    if not found:
        return Schedule(graph, tuple(layers)), -1
    found.sort(key=lambda choice: choice[0])  # long ones first, which are the simpler to draw
    i, cost = found[draw(st.integers(0, len(found) - 1))]
    return Schedule(graph, (*layers[:i], build_stage(net, i, j, cost), *layers[j + 1 :]), mode), i
