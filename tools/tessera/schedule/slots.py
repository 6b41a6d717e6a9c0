"""Time as memory planning counts it: one slot for each pulled input and each operator, in the order of the schedule.

The operators of a streamed stage take turns at every tick: what they keep between ticks lives through all slots of the
stage, a window from the slot that fills it to the last one that reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tessera.schedule.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Slot:
    """`op` is an index into graph.ops, or None where the stage pulls a graph input: its first map without operator."""

    stage: int
    op: int | None


def make_slots(schedule: Schedule) -> tuple[Slot, ...]:
    slots: list[Slot] = []
    for number, stage in enumerate(schedule.stages):
        made = {t for i in stage.ops for t in schedule.graph.ops[i].outputs}
        slots += [Slot(number, None) for m in stage.maps if m.tensor not in made]
        slots += [Slot(number, i) for i in stage.ops]
    return tuple(slots)


def stage_slots(schedule: Schedule) -> tuple[tuple[int, int], ...]:
    """The slots [begin, end) of each stage."""
    ranges: list[tuple[int, int]] = []
    slots = make_slots(schedule)
    for number in range(len(schedule.stages)):
        mine = [time for time, slot in enumerate(slots) if slot.stage == number]
        ranges.append((mine[0], mine[-1] + 1))
    return tuple(ranges)
