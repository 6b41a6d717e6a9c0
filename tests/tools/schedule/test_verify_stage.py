"""verify_stage against the machine that runs stages byte by byte: it accepts what runs, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_stages import streamed_schedules
from storage_machine import LostError, run_stage, separate

from tessera.schedule.schedule import Schedule, Stage
from tessera.schedule.verify import verify_schedule
from tessera.schedule.verify_stage import ScheduleError, verify_stage

MUTANTS = 8
many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(streamed_schedules())
def test_accepted_stages_run(drawn: tuple[Schedule, int]) -> None:
    schedule, number = drawn
    assume(number >= 0)
    verify_schedule(schedule)
    run_stage(schedule, number, separate(schedule, number))


def changed(rng: np.random.Generator, stage: Stage) -> Stage:
    """One number of the stage's plans, or which of its maps has a window, is not what it was."""
    k, by = int(rng.integers(len(stage.maps))), int(rng.choice((-1, 1, -2, 2)))
    m, axis = stage.maps[k], str(rng.choice(("rows", "cols")))
    match str(rng.choice(("lines", "lines", "left", "window", "phase", "begin", "begin", "size", "step", "ticks"))):
        case "lines":
            new = replace(m, lines=m.lines + by)
        case "left":
            new = replace(m, left=m.left + by)
        case "window":
            new = replace(m, windowed=not m.windowed, left=0, lines=max(1, m.lines))
        case "ticks" if axis == "rows":
            return replace(stage, row_ticks=stage.row_ticks + by)
        case "ticks":
            return replace(stage, col_ticks=stage.col_ticks + by)
        case name:
            sweep = getattr(m, axis)
            new = replace(m, **{axis: replace(sweep, **{name: getattr(sweep, name) + by})})
    return replace(stage, maps=(*stage.maps[:k], new, *stage.maps[k + 1 :]))


def is_sane(stage: Stage) -> bool:
    """Numbers that a machine can run with; verify_stage refuses others, see below."""
    return min(stage.row_ticks, stage.col_ticks) >= 1 and all(
        m.lines >= 0
        and m.left >= 0
        and (m.windowed or not m.left)
        and all(min(s.step, s.size, s.phase + 1) >= 1 for s in (m.rows, m.cols))
        for m in stage.maps
    )


@many
@given(streamed_schedules(), st.integers(0, 1 << 16))
def test_rejects_what_does_not_run(drawn: tuple[Schedule, int], draw: int) -> None:
    schedule, number = drawn
    assume(number >= 0)
    rng = np.random.default_rng(draw)
    for _ in range(MUTANTS):
        stage = changed(rng, schedule.stages[number])
        if is_sane(stage):
            check_mutant(schedule, number, stage)


def check_mutant(schedule: Schedule, number: int, stage: Stage) -> None:
    mutant = replace(schedule, stages=(*schedule.stages[:number], stage, *schedule.stages[number + 1 :]))
    try:
        run_stage(mutant, number, separate(mutant, number))
    except LostError:
        with pytest.raises(ScheduleError):
            verify_stage(mutant, number)
        return
    assert verdict(mutant, number) is None or is_strict(verdict(mutant, number)), stage


def verdict(schedule: Schedule, number: int) -> str | None:
    try:
        verify_stage(schedule, number)
    except ScheduleError as error:
        return str(error)
    return None


def is_strict(text: str | None) -> bool:
    """Rules that a stage may break and run by luck: it reads nothing at that tick, or keeps more than there is."""
    return text is not None and ("does not fire" in text or re.search(r"keeps \d+ rows", text) is not None)
