"""find_schedule: from what the user asks for to a schedule with its memory plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tessera.board import BoardMemory
from tessera.ir.graph import Graph
from tessera.kernels.isa import Isa, KernelSet
from tessera.memory.fit import excess_bytes
from tessera.memory.plan import MemoryPlan
from tessera.memory.planner import plan_memory
from tessera.schedule.cost import macs_executed
from tessera.schedule.options import ScheduleOptions
from tessera.schedule.packing import least_packed
from tessera.schedule.paths import Point, by_macs, least_work
from tessera.schedule.schedule import InputMode, Schedule
from tessera.schedule.search import (
    MOST_FACTOR,
    Search,
    schedule_of,
    search_again,
    search_once,
    search_work,
    start_search,
)
from tessera.schedule.space import Progress

TRIES = 4
"""Packing may need more than the sum of what lives together; then a little less is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The schedule that was asked for; `fits` is False where it is only the nearest: the one of least memory found."""

    schedule: Schedule
    plan: MemoryPlan
    model_macs: int
    fits: bool
    lower_factor: float | None
    """The least factor of MACs of any schedule found with less memory in its worst stage; None: there is none."""

    @property
    def needed_bytes(self) -> int:
        """The arena, kernels' scratch included."""
        return self.plan.arena_bytes

    @property
    def factor(self) -> float:
        """MACs executed as a multiple of the model's."""
        return macs_executed(self.schedule) / self.model_macs if self.model_macs else 1.0


def find_schedule(
    graph: Graph,
    options: ScheduleOptions,
    limit_bytes: int | None,
    *,
    isa: Isa = Isa.PORTABLE,
    memories: Sequence[BoardMemory] | None = None,
    time_limit_s: float = 10.0,
    progress: Progress | None = None,
) -> Found:
    """With `options.max_macs` alone the least memory, and kernels that take none to be fast. Else the least work within
    `limit_bytes` of the arena, in the memories of a board where they are given: with fast kernels if they fit."""
    least = options.max_macs is not None and options.sram_bytes is None
    if not least and isa is not Isa.PORTABLE:
        found = _find(graph, options, limit_bytes, KernelSet(isa), memories, time_limit_s, progress)
        if found.fits:
            return found
    return _find(graph, options, limit_bytes, KernelSet(isa, fast=False), memories, time_limit_s, progress)


def _find(
    graph: Graph,
    options: ScheduleOptions,
    limit_bytes: int | None,
    kernels: KernelSet,
    memories: Sequence[BoardMemory] | None,
    time_limit_s: float,
    progress: Progress | None,
) -> Found:
    search = start_search(graph, options.input_mode, kernels)
    most = None if options.max_macs is None else int(options.max_macs * search.macs + 1e-3)
    if most is None or options.sram_bytes is not None:
        limit = limit_bytes if limit_bytes is not None else search.unbounded
        search, found = _least_work(search, limit, most, options, memories, time_limit_s, progress)
        if found is not None:
            return found
    search, point = _least_memory(search, most, progress)
    if point is not None:
        point = least_packed(search, point, most if most is not None else int(MOST_FACTOR * search.macs))
    if point is None:  # an input that no stage can pull, however it advances
        assert options.input_mode is not InputMode.RESIDENT, "layers are a schedule"
        simpler = InputMode.STREAMED if options.input_mode is InputMode.REREAD else InputMode.RESIDENT
        options = replace(options, input_mode=simpler)
        return _find(graph, options, limit_bytes, kernels, memories, time_limit_s, progress)
    return _plan(search, point, options, memories, time_limit_s, fits=options.sram_bytes is None and most is not None)


def _least_work(
    search: Search,
    limit: int,
    most_macs: int | None,
    options: ScheduleOptions,
    memories: Sequence[BoardMemory] | None,
    time_limit_s: float,
    progress: Progress | None,
) -> tuple[Search, Found | None]:
    asked = limit
    for _ in range(TRIES):
        search, point = search_work(search, asked, most_macs, progress)
        if point is None:
            break
        found = _plan(search, point, options, memories, time_limit_s, fits=True)
        excess = excess_bytes(found.plan, limit, memories or ())
        if excess == 0:
            return search, found
        asked = min(asked, point.bytes) - excess
    return search, None


def _least_memory(search: Search, most_macs: int | None, progress: Progress | None) -> tuple[Search, Point | None]:
    search, point = search_once(search, progress)
    factor = MOST_FACTOR if most_macs is None else most_macs / max(search.macs, 1)
    if factor > 1:
        limit = point.bytes if point is not None else search.unbounded
        search, again = search_again(search, limit, factor, 0, progress)
        point = again or point
    return search, point


def _plan(
    search: Search,
    point: Point,
    options: ScheduleOptions,
    memories: Sequence[BoardMemory] | None,
    time_limit_s: float,
    *,
    fits: bool,
) -> Found:
    """Who asks for little memory gets the least; else a few bytes more are spent on fast memories."""
    schedule = schedule_of(search.space, point)
    hot_first = options.sram_bytes is None and options.max_macs is None
    plan = plan_memory(schedule, time_limit_s=time_limit_s, memories=memories, hot_first=hot_first)
    lower = least_work(search.space, point.bytes - 1, by_macs)
    return Found(schedule, plan, search.macs, fits, lower.macs / search.macs if lower and search.macs else None)
