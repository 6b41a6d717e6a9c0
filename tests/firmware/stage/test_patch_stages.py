"""MCUNetV2's patches on the host against the interpreter: nothing kept, every halo computed again."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamed import assert_equal

from tessera.memory.planner import plan_memory
from tessera.nets.mobilenetv2 import NETS, Net, build_graph
from tessera.schedule.cost import macs_executed
from tessera.schedule.patches import find_cuts, make_patches, patch_cost, patch_schedule
from tessera.schedule.verify import verify_schedule


@pytest.mark.slow
@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_mobilenetv2_by_patches(net: Net, tmp_path: Path) -> None:
    graph = build_graph(net, width=0.35, size=48, classes=10)
    planned = []
    for cut in (c for c in find_cuts(graph) if len(c.ops) in (1, 9, 13, 17)):
        for count in (2, 3):
            patches = make_patches(graph, cut, count)
            schedule = patch_schedule(graph, patches)
            assert schedule is not None
            verify_schedule(schedule)
            assert macs_executed(schedule) == patch_cost(graph, patches).model_macs
            planned.append((schedule, plan_memory(schedule, time_limit_s=0)))
    assert len(planned) >= 6
    assert_equal(planned, tmp_path)
