"""Ways to run a graph with Armv7E-M kernels: layers, random walks through the stages that the search considers, and
what it finds for a user's limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tessera.ir.graph import Graph
from tessera.kernels.isa import Isa, KernelSet
from tessera.memory.plan import MemoryPlan
from tessera.schedule.build import build_stage
from tessera.schedule.find import find_schedule
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.net import make_net
from tessera.schedule.options import ScheduleOptions
from tessera.schedule.region import FULL, Limits, Tile, stages_ending_at
from tessera.schedule.schedule import InputMode, Schedule, Stage
from tessera.schedule.verify import verify_schedule

ANY = Limits(1 << 30, 1 << 40)


def layers(graph: Graph, kernels: KernelSet) -> Schedule:
    return replace(make_schedule(graph), kernels=kernels)


def random_walk(graph: Graph, mode: InputMode, kernels: KernelSet, rng: np.random.Generator) -> Schedule | None:
    """From the last operator backwards, layers and stages; None where the walk comes to an operator that neither may
    end with."""
    net = make_net(graph, tuple(range(len(graph.ops))), mode, kernels)
    stages: list[Stage] = []
    end = len(net.nodes)
    while end > 0:
        ways: list[tuple[int, Stage]] = []
        if net.layer_bytes(end - 1) is not None:
            ways.append((end - 1, Stage((net.nodes[end - 1].op,))))
        for _ in range(3):
            tile = Tile(int(rng.integers(1, 4)), int(rng.choice([1, 2, 4, 7, FULL])), bool(rng.integers(2)))
            found = stages_ending_at(net, end - 1, tile, ANY)
            ways += [(i, build_stage(net, i, end - 1, cost)) for i, cost in found]
        if not ways:
            return None
        weights = np.array([(end - i + (not stage.is_layer)) ** 2 for i, stage in ways])
        end, stage = ways[rng.choice(len(ways), p=weights / weights.sum())]
        stages.insert(0, stage)
    schedule = Schedule(graph, tuple(stages), mode, kernels)
    verify_schedule(schedule)
    return schedule


def found(graph: Graph, mode: InputMode, rng: np.random.Generator) -> Iterator[tuple[Schedule, MemoryPlan]]:
    """The least memory, and the least work within a limit between it and that of layers."""
    least = find_schedule(
        graph, ScheduleOptions(mode, max_macs=float(rng.choice([1, 1.3]))), None, isa=Isa.ARMV7E_M, time_limit_s=0.1
    )
    yield least.schedule, least.plan
    most = find_schedule(graph, ScheduleOptions(mode), None, isa=Isa.ARMV7E_M, time_limit_s=0.1)
    limit = int(rng.integers(least.needed_bytes, max(most.needed_bytes, least.needed_bytes) + 1))
    within = find_schedule(graph, ScheduleOptions(mode, sram_bytes=limit), limit, isa=Isa.ARMV7E_M, time_limit_s=0.1)
    yield within.schedule, within.plan
