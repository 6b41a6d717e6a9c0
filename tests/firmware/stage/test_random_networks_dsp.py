"""Random networks with Armv7E-M kernels in all kinds of schedules and plans, in QEMU against the interpreter.

Kernels are tested one by one elsewhere; here they meet each other's rings, windows, overlaps and scratch. All is a
function of the network's seed, which is in the names of its models: net_<seed>_<number>.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from networks_dsp import draw_bytes, draw_network
from schedules_dsp import found, layers, random_walk
from test_stages_by_hand import SCHEDULES, row_rings

from on_cross import FAST, LEAN, CrossCase, run_cross_cases
from on_host import guarded_plan
from tessera.codegen.generate import generate_c
from tessera.ir.graph import Graph
from tessera.kernels.isa import KernelSet
from tessera.memory.plan import MemoryPlan
from tessera.memory.planner import plan_memory
from tessera.schedule.schedule import InputMode, Schedule

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

CASES_PER_NETWORK = 6  # of --cases
NETWORKS_PER_PROGRAM = 10


def test_random_networks(cases: int, tmp_path: Path) -> None:
    seeds = range(max(5, cases // CASES_PER_NETWORK))
    for first in seeds[::NETWORKS_PER_PROGRAM]:
        some = seeds[first : first + NETWORKS_PER_PROGRAM]
        run_cross_cases([case for seed in some for case in network_cases(seed)], tmp_path)


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_stages_by_hand(kernels: KernelSet, tmp_path: Path) -> None:
    cases: list[CrossCase] = []
    for i, make in enumerate(SCHEDULES.values()):
        schedule = replace(make(), kernels=kernels)
        for plan in (plan_memory(schedule), guarded_plan(schedule)):
            cases.append(cross_case(f"by_hand_{i}_{len(cases)}", schedule, plan, np.random.default_rng(i)))
    run_cross_cases(cases, tmp_path)


@pytest.mark.parametrize("kernels", [FAST, LEAN], ids=["fast", "lean"])
def test_mixed_up_rows_of_a_ring_are_seen(kernels: KernelSet, tmp_path: Path) -> None:
    """Code that keeps one row less than the plan has room for, so that a row takes the place of one still needed."""
    schedule = replace(row_rings(InputMode.STREAMED), kernels=kernels)
    (stage,) = schedule.stages
    shorter = replace(stage, maps=tuple(replace(m, lines=2) if m.lines == 3 else m for m in stage.maps))
    plan, rng = guarded_plan(schedule), np.random.default_rng(1)
    case = cross_case("mixed_up", replace(schedule, stages=(shorter,)), plan, rng)
    with pytest.raises(AssertionError, match="in stage 0"):
        run_cross_cases([case], tmp_path)


def network_cases(seed: int) -> Iterator[CrossCase]:
    graph, rng = draw_network(seed), np.random.default_rng(seed)
    for number, (schedule, plan) in enumerate(planned(graph, rng)):
        yield cross_case(f"net_{seed}_{number}", schedule, plan, rng)


def planned(graph: Graph, rng: np.random.Generator) -> Iterator[tuple[Schedule, MemoryPlan]]:
    """Of fast and of lean kernels, layers and walks; a third also what the search finds."""
    modes = tuple(InputMode)
    for kernels in (FAST, LEAN):
        walks = [random_walk(graph, modes[rng.integers(3)], kernels, rng) for _ in range(2)]
        for schedule in (s for s in (layers(graph, kernels), *walks) if s is not None):
            memories = int(rng.choice([0, 0, 1, 2]))
            yield schedule, guarded_plan(schedule, memories) if memories else plan_memory(schedule, time_limit_s=0)
    if rng.integers(3) == 0:
        yield from found(graph, modes[rng.integers(3)], rng)


def cross_case(name: str, schedule: Schedule, plan: MemoryPlan, rng: np.random.Generator) -> CrossCase:
    named = replace(schedule, graph=replace(schedule.graph, name=name))
    return CrossCase(named, generate_c(named.graph, named, plan, None), draw_bytes(named.graph, rng))
