"""MCUNetV2's patches with Armv7E-M kernels, in QEMU against the interpreter: every halo computed again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks_dsp import draw_bytes

from on_cross import FAST, LEAN, CrossCase, run_cross_cases
from tessera.codegen.generate import generate_c
from tessera.kernels.isa import KernelSet
from tessera.memory.planner import plan_memory
from tessera.nets.mobilenetv2 import NETS, Net, build_graph
from tessera.schedule.patches import find_cuts, make_patches, patch_schedule

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

AT_ONCE = 3  # models whose weights fit in a program's 4 MB of flash


@pytest.mark.slow
@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
@pytest.mark.parametrize("net", NETS.values(), ids=NETS)
def test_mobilenetv2_by_patches(net: Net, kernels: KernelSet, tmp_path: Path) -> None:
    graph, rng = build_graph(net, width=0.35, size=48, classes=10), np.random.default_rng(0)
    cases = []
    for cut in (c for c in find_cuts(graph) if len(c.ops) in (1, 9, 13, 17)):
        for count in (2, 3):
            schedule = patch_schedule(graph, make_patches(graph, cut, count))
            assert schedule is not None
            named = replace(schedule, graph=replace(graph, name=f"patches_{len(cases)}"), kernels=kernels)
            sources = generate_c(named.graph, named, plan_memory(named, time_limit_s=0), None)
            cases.append(CrossCase(named, sources, draw_bytes(graph, rng)))
    assert len(cases) >= 6
    for first in range(0, len(cases), AT_ONCE):
        run_cross_cases(cases[first : first + AT_ONCE], tmp_path)
