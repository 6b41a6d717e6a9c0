"""Plans of schedules with a streamed stage: run byte by byte, and broken in ways that verify_plan must find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from byte_machine import ClobberedError, run
from hand_stages import in_place, sliding
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_stages import streamed_schedules
from small_graphs import Builder

from tessera.board import BoardMemory
from tessera.memory.align import ARENA_ALIGNMENT
from tessera.memory.plan import Memory, MemoryPlan, Place, Role
from tessera.memory.planner import plan_memory
from tessera.memory.verify import PlanError, verify_plan
from tessera.schedule.schedule import InputMode, MapPlan, Schedule, Stage, Sweep
from tessera.schedule.verify import verify_schedule

many = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
MUTANTS = 8


@many
@given(streamed_schedules())
def test_plans_hold_and_run(drawn: tuple[Schedule, int]) -> None:
    schedule, _ = drawn
    plan = plan_memory(schedule, time_limit_s=0)
    run(schedule, plan)
    assert plan.lower_bound_bytes <= plan.arena_bytes
    assert plan.arena_bytes % ARENA_ALIGNMENT == 0


@many
@given(streamed_schedules(), st.integers(0, 1 << 16))
def test_verify_finds_whatever_the_byte_machine_finds(drawn: tuple[Schedule, int], draw: int) -> None:
    """Buffers moved at random: a plan that clobbers a byte never verifies."""
    schedule, number = drawn
    assume(number >= 0)
    plan = plan_memory(schedule, time_limit_s=0)
    rng = np.random.default_rng(draw)
    for _ in range(MUTANTS):
        moved = shaken(plan, rng)
        try:
            run(schedule, moved)
        except ClobberedError:
            with pytest.raises(PlanError):
                verify_plan(schedule, moved)


@many
@given(streamed_schedules(), st.integers(1, 3), st.integers(0, 1 << 16))
def test_verify_finds_what_clobbers_in_two_memories(drawn: tuple[Schedule, int], quarters: int, draw: int) -> None:
    """Also buffers that change to the other memory, where a safe overlap is none any more."""
    schedule, number = drawn
    assume(number >= 0)
    whole = plan_memory(schedule, time_limit_s=0).arena_bytes
    first = max(ARENA_ALIGNMENT, whole * quarters // 4 // ARENA_ALIGNMENT * ARENA_ALIGNMENT)
    memories = (BoardMemory("FAST", first, 1), BoardMemory("SLOW", whole, 2))
    plan = plan_memory(schedule, time_limit_s=0, memories=memories)
    rng = np.random.default_rng(draw)
    for _ in range(MUTANTS):
        moved = shaken(plan, rng)
        try:
            run(schedule, moved)
        except ClobberedError:
            with pytest.raises(PlanError):
                verify_plan(schedule, moved)


def shaken(plan: MemoryPlan, rng: np.random.Generator) -> MemoryPlan:
    """One or two buffers somewhere near, in their memory or another one that is large enough."""
    places = [*plan.places]
    for i in rng.choice(len(places), min(len(places), int(rng.integers(1, 3))), replace=False):
        large = [k for k, m in enumerate(plan.memories) if m.bytes >= plan.buffers[i].nbytes]
        memory = int(rng.choice([places[i].memory, *large]))
        room = (plan.memories[memory].bytes - plan.buffers[i].nbytes) // 4
        offset = places[i].offset // 4 + int(rng.integers(-6, 7))
        places[i] = Place(memory, 4 * min(max(0, offset), room))
    return replace(plan, places=tuple(places))


def test_a_stage_slides_its_output_over_its_input() -> None:
    _, plan = sliding()
    # a row of 6 x 4 is written at each tick; row t - 1 of 6 x 8 is still read at tick t: only the first tick counts
    (overlap,) = (o for o in plan.overlaps if plan.buffers[o.target].start > 0 and o.lead)
    assert overlap.lead == 2 * 24
    assert plan.arena_bytes == 48 + 8 * 6 * 8 + 48
    assert plan.optimal


def test_a_row_too_far_is_caught() -> None:
    schedule, plan = sliding()
    (overlap,) = (o for o in plan.overlaps if plan.buffers[o.target].start > 0 and o.lead)
    source, target = plan.places[overlap.source], plan.places[overlap.target]
    assert target.offset + overlap.lead <= source.offset
    nearer = Place(0, source.offset - overlap.lead + 4)
    broken = replace(plan, places=tuple(nearer if p is target else p for p in plan.places))
    with pytest.raises(PlanError, match="overwrites what is still to be read"):
        verify_plan(schedule, broken)


def test_an_elementwise_operator_runs_in_its_inputs_window() -> None:
    schedule, plan = in_place()
    first, second, _ = (op.outputs[0] for op in schedule.graph.ops)
    windows = [plan.place_of(t, Role.WINDOW, 0) for t in (first, second)]
    assert windows[0] == windows[1]
    assert plan.arena_bytes == 64  # the input of 32, the output a row of 8 below it, and one window of 16, not two
    shifted = Place(0, windows[1].offset + 4)
    broken = replace(plan, places=tuple(shifted if p is windows[1] else p for p in plan.places))
    with pytest.raises(PlanError, match="overwrites"):
        verify_plan(schedule, broken)


def test_a_window_that_retires_later_is_not_written_over() -> None:
    schedule, _ = in_place()
    (stage,) = schedule.stages
    kept = replace(stage.maps[0], lines=1)
    schedule = replace(schedule, stages=(replace(stage, maps=(kept, *stage.maps[1:])),))
    plan = plan_memory(schedule)
    first, second = (plan.place_of(m.tensor, Role.WINDOW, 0) for m in stage.maps[:2])
    assert first != second
    onto = replace(plan, places=tuple(first if p is second else p for p in plan.places))
    with pytest.raises(PlanError, match="overwrites"):
        verify_plan(schedule, onto)


def test_buffers_that_are_too_small_are_caught() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    graph = b.graph(b.mean(b.depthwise(x, (3, 3), padding=(1, 1, 1, 1))))
    middle, mean = (op.outputs[0] for op in graph.ops)
    pulled = MapPlan(x, Sweep(1, 0, 1, 0, 1), Sweep(2, 0, 4, 0, 4), 3)
    window = MapPlan(middle, Sweep(1, 1, 1, 0, 1), Sweep(1, 0, 2, 0, 2), 1, windowed=True, left=1)
    sums = MapPlan(mean, Sweep(1, 1, 1, 0, 1), Sweep(1, 0, 2, 0, 2), 4)
    schedule = Schedule(graph, (Stage((0, 1), (pulled, window, sums), 5, 2),), InputMode.STREAMED)
    verify_schedule(schedule)
    plan = plan_memory(schedule)
    sizes = {(b.tensors[0], b.role): b.nbytes for b in plan.buffers}
    assert sizes == {
        (x, Role.LINES): 3 * 4 * 2,
        (middle, Role.LINES): 4 * 2,
        (middle, Role.WINDOW): 3 * 2,
        (middle, Role.LEFT): 2,
        (mean, Role.WHOLE): 4 * 2,
    }
    for i, buffer in enumerate(plan.buffers):
        buffers = (*plan.buffers[:i], replace(buffer, nbytes=buffer.nbytes - 1), *plan.buffers[i + 1 :])
        with pytest.raises(PlanError, match="needs"):
            verify_plan(schedule, replace(plan, buffers=buffers))
        with pytest.raises(PlanError, match="no place"):
            verify_plan(
                schedule,
                replace(
                    plan,
                    buffers=(*plan.buffers[:i], *plan.buffers[i + 1 :]),
                    places=(*plan.places[:i], *plan.places[i + 1 :]),
                ),
            )


def onto_its_operand(rows: Sweep, row_ticks: int, by: int) -> tuple[Schedule, MemoryPlan]:
    """A sum of a map with itself as a stage, placed `by` bytes above the map."""
    b = Builder()
    x = b.lookup(b.input(1, 4, 4, 4))
    graph = b.graph(b.add(x, x))
    total = graph.ops[1].outputs[0]
    sums = MapPlan(total, rows, Sweep(1, 0, 4, 0, 4), 4)
    schedule = Schedule(graph, (Stage((0,)), Stage((1,), (sums,), row_ticks)))
    verify_schedule(schedule)
    plan = plan_memory(schedule)
    places = {t: Place(0, 64) for t in graph.inputs} | {x: Place(0, 64), total: Place(0, 64 + by)}
    moved = tuple(places[buffer.tensors[0]] for buffer in plan.buffers)
    return schedule, replace(plan, places=moved, memories=(Memory("arena", 256),))


def test_a_sum_is_written_over_its_operand_if_all_comes_once() -> None:
    for rows, ticks in ((Sweep(1, 0, 1, 0, 1), 4), (Sweep(1, 0, 4, 0, 4), 1)):
        verify_plan(*onto_its_operand(rows, ticks, 0))
        verify_plan(*onto_its_operand(rows, ticks, -4))
        for schedule, plan in (onto_its_operand(rows, ticks, 4),):
            with pytest.raises(ClobberedError):
                run(schedule, plan)
            with pytest.raises(PlanError, match="still to be read"):
                verify_plan(schedule, plan)


def test_rows_that_are_summed_again_are_still_there() -> None:
    again = Sweep(1, 0, 1, 0, 2)
    schedule, plan = onto_its_operand(again, 3, 0)
    with pytest.raises(ClobberedError):
        run(schedule, plan)
    with pytest.raises(PlanError, match="still to be read"):
        verify_plan(schedule, plan)
    verify_plan(*onto_its_operand(again, 3, -2 * 16))
    assert [o.lead for o in plan.overlaps] == [0, 2 * 16]
