"""Whole schedules as the search emits them, of random networks, on the host against the interpreter.

Networks of inverted residual blocks, some with squeeze-and-excite, so that blocks are rewritten, channels grouped and
maps computed a second time; and the random networks of networks.py, whose graphs branch more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from networks import Network, networks
from streamed import assert_equal

from tessera.ir import attrs as ir
from tessera.ir.graph import Graph
from tessera.memory.planner import plan_memory
from tessera.schedule.packing import least_packed
from tessera.schedule.paths import by_macs_then_bytes, least_work
from tessera.schedule.schedule import InputMode, Schedule
from tessera.schedule.search import MOST_FACTOR, Search, schedule_of, search_front, start_search

POINTS = 4  # of each front
CASES_PER_NETWORK = 10  # of --cases


@st.composite
def blocks(draw: st.DrawFn) -> Graph:
    """A stem, inverted residual blocks, a head that is averaged."""
    n = Network(draw(st.integers(0, 1 << 16)))
    side = draw(st.integers(9, 20))
    x = n.conv(n.input(side, side + draw(st.integers(-2, 3)), 3), 4, (3, 3), (draw(st.integers(1, 2)),) * 2)
    for _ in range(draw(st.integers(1, 3))):
        kernel, stride = draw(st.sampled_from((1, 3, 5))), draw(st.integers(1, 2))
        channels = draw(st.sampled_from((8, 10, 12, 17)))
        wide = n.conv(x, channels, (1, 1))
        y = n.depthwise(wide, (kernel, kernel), (stride, stride))
        if draw(st.booleans()):
            average = draw(st.sampled_from((n.mean, n.mean_of_means)))(y)
            y = n.two(ir.Mul, y, n.conv(n.conv(average, 4, (1, 1)), channels, (1, 1)))
        y = n.conv(y, n.shape(x)[3] if draw(st.booleans()) else 6, (1, 1))
        x = n.two(ir.Add, y, x) if n.shape(x) == n.shape(y) else y
    return n.graph(n.mean(n.conv(x, 16, (1, 1))))


def schedules_of(search: Search, rng: np.random.Generator) -> list[Schedule]:
    """Of the least memory, packed, and of other points of the front."""
    search, points = search_front(search)
    if not points:
        return []
    chosen = [points[i] for i in rng.choice(len(points), min(len(points), POINTS), replace=False)]
    chosen.append(least_packed(search, points[0], int(MOST_FACTOR * search.macs)))
    small = least_work(search.space, points[-1].bytes, by_macs_then_bytes)
    chosen += [] if small is None else [small]
    return [schedule_of(search.space, point) for point in chosen]


def check(graph: Graph, mode: InputMode, draw: int, folder: Path) -> None:
    found = schedules_of(start_search(graph, mode), np.random.default_rng(draw))
    if found:
        assert_equal([(schedule, plan_memory(schedule, time_limit_s=0.1)) for schedule in found], folder)


def test_schedules_of_random_networks(cases: int, tmp_path: Path) -> None:
    @seed(3)
    @settings(
        max_examples=max(4, cases // CASES_PER_NETWORK),
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(blocks(), networks()), st.sampled_from(InputMode), st.integers(0, 1 << 16))
    def run(graph: Graph, mode: InputMode, draw: int) -> None:
        check(graph, mode, draw, tmp_path)

    run()
