"""The pictures of docs/memory.md, all of MobileNetV2 1.0 at 224 x 224, the network of MCUNetV2's table 1, with the
kernels of a Cortex-M: what `plan` takes layer by layer, and for the least memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tessera.bench.peers import MCUNETV2_TABLE_1
from tessera.kernels.isa import Isa, KernelSet
from tessera.memory.planner import plan_memory
from tessera.nets.mobilenetv2 import MOBILENETV2, NETS, build_graph
from tessera.report.halo_svg import halo_svg
from tessera.report.memory_over_time import Planned, memory_over_time_svg
from tessera.report.stage_svg import stage_svg
from tessera.schedule.find import find_schedule
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.options import ScheduleOptions
from tessera.schedule.patches import find_cuts, make_patches
from tessera.schedule.schedule import InputMode


def docs_pictures() -> Iterator[tuple[str, str]]:
    """File names in docs/pictures and their texts."""
    yield from patch_pictures()
    yield from schedule_pictures()


def patch_pictures() -> Iterator[tuple[str, str]]:
    for name, paper in MCUNETV2_TABLE_1.items():
        graph = build_graph(NETS[name])
        cut = next(c for c in find_cuts(graph) if len(c.ops) == paper.layers)
        title = f"{name}: what one of {paper.patches} x {paper.patches} patches needs"
        yield f"patches_{name}.svg", halo_svg(graph, make_patches(graph, cut, paper.patches), title)


def schedule_pictures() -> Iterator[tuple[str, str]]:
    graph = build_graph(MOBILENETV2)
    layers = replace(make_schedule(graph), kernels=KernelSet(Isa.ARMV7E_M))
    found = find_schedule(graph, ScheduleOptions(InputMode.STREAMED, max_macs=1.0), None, isa=Isa.ARMV7E_M)
    panels = (
        Planned("layer by layer", layers, plan_memory(layers)),
        Planned("streamed, nothing computed twice", found.schedule, found.plan),
    )
    yield "memory_over_time.svg", memory_over_time_svg(panels, "mobilenetv2: memory over time")
    longest = max(range(len(found.schedule.stages)), key=lambda n: len(found.schedule.stages[n].ops))
    yield "streamed_stage.svg", stage_svg(found.schedule, longest, "mobilenetv2: what a streamed stage holds")
