"""Does a plan fit? If not: by how much, which operators are to blame, and what would help."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tessera.board import BoardMemory
from tessera.errors import DoesNotFit
from tessera.ir.graph import Tensor
from tessera.memory.plan import Buffer, MemoryPlan, Role
from tessera.memory.planner import step_bytes
from tessera.schedule.options import DEFAULT, ScheduleOptions
from tessera.schedule.schedule import InputMode, Schedule
from tessera.schedule.slots import make_slots

SHOWN = 4  # buffers of the worst moment
PARTS = {Role.LINES: "rows of ", Role.WINDOW: "a window of ", Role.LEFT: "columns of ", Role.SCRATCH: "scratch of "}


def check_fit(
    plan: MemoryPlan,
    schedule: Schedule,
    limit_bytes: int,
    board_name: str,
    *,
    memories: Sequence[BoardMemory] = (),
    least: tuple[int, float] | None = None,
    options: ScheduleOptions = DEFAULT,
) -> None:
    """Raises DoesNotFit when the arena exceeds `limit_bytes`, or a memory of the plan the limit of the
    board's memory of that name. `least`: the fewest bytes of any schedule found, and its MACs as a multiple of the
    model's. `options`: what was asked for, and could be asked for otherwise."""
    if excess_bytes(plan, limit_bytes, memories) == 0:
        return
    needed = plan.arena_bytes
    graph = schedule.graph
    raise DoesNotFit(
        f"{graph.name} does not fit on {board_name}: it needs an arena of {needed:,} B, "
        f"{_excess(needed, limit_bytes, memories, options)}{_worst_slot(plan, schedule)}{_least(least)}; "
        f"{_advice(plan, schedule, limit_bytes, memories, options)}."
    )


def excess_bytes(plan: MemoryPlan, limit_bytes: int, memories: Sequence[BoardMemory] = ()) -> int:
    """By how much the arena exceeds `limit_bytes`, or one memory the limit of the board's, whichever is more."""
    limits = {m.name: m.limit_bytes for m in memories}
    over = [m.bytes - limits.get(m.name, m.bytes) for m in plan.memories]
    return max(0, plan.arena_bytes - limit_bytes, *over)


def _excess(needed: int, limit: int, memories: Sequence[BoardMemory], options: ScheduleOptions) -> str:
    if needed > limit:
        whose = "the board has for it" if options.sram_bytes is None else "are left for it"
        return f"{needed - limit:,} B more than the {limit:,} B that {whose}"
    sizes = " + ".join(f"{m.limit_bytes:,}" for m in memories)
    return f"and its buffers cannot be spread over {' + '.join(m.name for m in memories)} ({sizes} B)"


def _worst_slot(plan: MemoryPlan, schedule: Schedule) -> str:
    slots = make_slots(schedule)
    pressure = step_bytes(plan.buffers, plan.overlaps)[: len(slots)]
    if not pressure:
        return ""
    time = pressure.index(max(pressure))
    live = sorted((b for b in plan.buffers if b.start <= time < b.end), key=lambda b: -b.nbytes)
    shown = ", ".join(_describe(schedule, b) for b in live[:SHOWN])
    more = f" and {len(live) - SHOWN} smaller" if len(live) > SHOWN else ""
    sliding = ", even with the output sliding over the input" if sum(b.nbytes for b in live) > pressure[time] else ""
    return f"; {_name_slot(schedule, time)} alone needs {pressure[time]:,} B{sliding}: {shown}{more}"


def _name_slot(schedule: Schedule, time: int) -> str:
    """A layer by its step, as in the plan's table; a streamed stage by the operators from first to last."""
    graph, slot = schedule.graph, make_slots(schedule)[time]
    ops = schedule.stages[slot.stage].ops
    if schedule.stages[slot.stage].is_layer:
        step = sum(len(stage.ops) for stage in schedule.stages[: slot.stage])
        return f"step {step} ({graph.ops[ops[0]].name})"
    what = graph.ops[slot.op].name if slot.op is not None else "pulling the input"
    return f"stage {slot.stage} ({graph.ops[ops[0]].name} to {graph.ops[ops[-1]].name}, at {what})"


def _describe(schedule: Schedule, buffer: Buffer) -> str:
    shape = "x".join(str(d) for d in schedule.graph.tensor(buffer.tensors[0]).shape)
    name = buffer.name.split(";")[0]  # a converter joins the names of all that it fused
    return f"{PARTS.get(buffer.role, '')}{name} {shape} {buffer.nbytes:,} B"


def _least(least: tuple[int, float] | None) -> str:
    return f"; the least that was found is {least[0]:,} B at {least[1]:.3g} times its MACs" if least else ""


def _advice(
    plan: MemoryPlan, schedule: Schedule, limit: int, memories: Sequence[BoardMemory], options: ScheduleOptions
) -> str:
    """What to change, the easiest first."""
    needed = plan.arena_bytes
    images = [t for t in map(schedule.graph.tensor, schedule.graph.inputs) if len(t.shape) == 4]
    ways: list[str] = []
    if images and schedule.input_mode is InputMode.RESIDENT:
        ways.append("pull the image row by row with --input streamed")
    if options.max_macs is not None:
        ways.append("allow more multiply-accumulates with --max-macs")
    if options.sram_bytes is not None and needed > limit and excess_bytes(plan, needed, memories) == 0:
        ways.append(f"allow {needed - limit:,} B more with --sram")
    else:
        ways.append(f"take a board with at least {math.ceil(needed / 1024):,} KiB for it")
    smaller = _smaller_image(plan, images, limit)
    if smaller:
        ways.append(smaller)
    return ", ".join(ways[:-1]) + (", or " if len(ways) > 1 else "") + ways[-1]


def _smaller_image(plan: MemoryPlan, images: Sequence[Tensor], available: int) -> str:
    """Maps shrink with the square of the resolution: an estimate for a model that is made of maps."""
    if not images or available <= 0:
        return ""
    _, height, width, _ = max(images, key=lambda t: t.nbytes).shape
    ratio = math.sqrt(available / plan.arena_bytes)
    smaller = [int(side * ratio) // 8 * 8 for side in (height, width)]
    if min(smaller) < 8 or ratio >= 1:
        return ""
    return f"train the model for an input of about {smaller[0]}x{smaller[1]} instead of {height}x{width}"
