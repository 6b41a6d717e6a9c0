"""Does a plan fit? If not: by how much, which step is to blame, and what would help."""

from __future__ import annotations

import math

from tessera.errors import DoesNotFit
from tessera.memory.align import ARENA_ALIGNMENT, align_up
from tessera.memory.plan import Buffer, MemoryPlan
from tessera.memory.planner import step_bytes
from tessera.schedule.schedule import Schedule


def check_fit(plan: MemoryPlan, schedule: Schedule, limit_bytes: int, board_name: str) -> None:
    """Raises DoesNotFit when arena and scratch together exceed `limit_bytes`."""
    needed = align_up(plan.arena_bytes, ARENA_ALIGNMENT) + plan.scratch_bytes
    if needed <= limit_bytes:
        return
    graph = schedule.graph
    scratch = f" and {plan.scratch_bytes:,} B of scratch" if plan.scratch_bytes else ""
    raise DoesNotFit(
        f"{graph.name} does not fit on {board_name}: it needs {needed:,} B of SRAM (an arena of {plan.arena_bytes:,} B"
        f"{scratch}), {needed - limit_bytes:,} B more than the {limit_bytes:,} B that the board has for it"
        f"{_worst_step(plan, schedule)}; {_advice(plan, schedule, needed, limit_bytes)}."
    )


def _worst_step(plan: MemoryPlan, schedule: Schedule) -> str:
    pressure = step_bytes(plan.buffers, plan.overlaps)[: len(schedule.stages)]
    if not pressure:
        return ""
    step = pressure.index(max(pressure))
    names = " + ".join(schedule.graph.ops[i].name for i in schedule.stages[step].ops)
    live = sorted((b for b in plan.buffers if b.start <= step < b.end), key=lambda b: -b.nbytes)
    shown = ", ".join(_describe(schedule, b) for b in live[:4])
    more = f" and {len(live) - 4} smaller" if len(live) > 4 else ""
    sliding = ", even with the output sliding over the input" if sum(b.nbytes for b in live) > pressure[step] else ""
    return f"; step {step} ({names}) alone needs {pressure[step]:,} B{sliding}: {shown}{more}"


def _describe(schedule: Schedule, buffer: Buffer) -> str:
    shape = "x".join(str(d) for d in schedule.graph.tensor(buffer.tensors[0]).shape)
    name = buffer.name.split(";")[0]  # a converter joins the names of all that it fused
    return f"{name} {shape} {buffer.nbytes:,} B"


def _advice(plan: MemoryPlan, schedule: Schedule, needed: int, limit: int) -> str:
    """Maps shrink with the square of the resolution: the estimate is for a model that is made of maps."""
    graph = schedule.graph
    board = f"take a board with at least {math.ceil(needed / 1024):,} KiB for it"
    images = [graph.tensor(t) for t in graph.inputs if len(graph.tensor(t).shape) == 4]
    available = limit - plan.scratch_bytes
    if not images or available <= 0:
        return board
    _, height, width, _ = max(images, key=lambda t: t.nbytes).shape
    ratio = math.sqrt(available / plan.arena_bytes)
    smaller = [max(0, int(side * ratio)) // 8 * 8 for side in (height, width)]
    if min(smaller) < 8:
        return board
    return f"{board}, or train the model for an input of about {smaller[0]}x{smaller[1]} instead of {height}x{width}"
