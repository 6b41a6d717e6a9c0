"""Ways in which the search would run a part of a random network as one stage, on the host against the interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from networks import networks
from streamed import assert_equal

from on_host import guarded_plan
from tessera.ir.graph import Graph
from tessera.memory.planner import plan_memory
from tessera.schedule.build import build_stage
from tessera.schedule.net import Net, make_net
from tessera.schedule.region import FULL, Limits, Tile, stages_ending_at
from tessera.schedule.schedule import InputMode, Schedule, Stage
from tessera.schedule.verify import verify_schedule

TILES = [Tile(rows, cols, again) for rows in (1, 2, 3) for cols in (1, 2, 4, FULL) for again in (False, True)]
ANY = Limits(1 << 30, 1 << 40)
STAGES_PER_NETWORK = 8
CASES_PER_NETWORK = 8  # of --cases


def schedules(graph: Graph, mode: InputMode) -> Iterator[Schedule]:
    """Layers but for one stage, in all places and with all tiles."""
    net = make_net(graph, tuple(range(len(graph.ops))), mode)
    layers = [Stage((n.op,)) for n in net.nodes]
    for j in range(len(layers)):
        for tile in TILES:
            for i, cost in stages_ending_at(net, j, tile, ANY):
                if runs_in_layers(net, i, j):
                    stage = build_stage(net, i, j, cost)
                    yield Schedule(graph, (*layers[:i], stage, *layers[j + 1 :]), mode)


def runs_in_layers(net: Net, i: int, j: int) -> bool:
    """No layer around nodes [i..j] reads an input that a stage would have to pull."""
    return all(net.layer_bytes(k) is not None for k in range(len(net.nodes)) if not i <= k <= j)


def weight(schedule: Schedule) -> int:
    """Long stages that keep and compute again are rare, and tell more."""
    stage = next(stage for stage in schedule.stages if not stage.is_layer)
    windows = sum(m.windowed + (m.left > 0) + (m.rows.size > m.rows.step) for m in stage.maps)
    return (len(stage.ops) + windows) ** 2


def test_stages_of_random_networks(cases: int, tmp_path: Path) -> None:
    @seed(1)
    @settings(
        max_examples=max(3, cases // CASES_PER_NETWORK),
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(networks(), st.sampled_from(InputMode), st.integers(0, 1 << 16))
    def check(graph: Graph, mode: InputMode, draw: int) -> None:
        found = list(schedules(graph, mode))
        if not found:
            return
        rng = np.random.default_rng(draw)
        weights = np.array([weight(schedule) for schedule in found])
        count = min(len(found), STAGES_PER_NETWORK)
        planned = []
        for number in rng.choice(len(found), count, replace=False, p=weights / weights.sum()):
            schedule = found[number]
            verify_schedule(schedule)
            memories = int(rng.integers(0, 3))
            plan = guarded_plan(schedule, memories) if memories else plan_memory(schedule, time_limit_s=0)
            planned.append((schedule, plan))
        assert_equal(planned, tmp_path)

    check()
