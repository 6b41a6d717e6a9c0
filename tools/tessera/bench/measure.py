"""What `bench` measures of one model: the compiler on the host, the firmware on simulators."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tessera.bench.goals import Goal
from tessera.bench.peers import PeerPoint, best_peer
from tessera.bench.speed import M4_BOARD, Speed, measure_speed
from tessera.board import load_board
from tessera.cli.choices import DEFAULT, Choices, compile_for
from tessera.cli.verify import verify_report
from tessera.errors import DoesNotFit
from tessera.firmware.code_size import code_bytes
from tessera.models import ROOT, find_model, model_names
from tessera.pipeline import Edges, generate
from tessera.schedule.schedule import InputMode

LARGE_MACS = 100_000_000
INPUTS, INPUTS_LARGE = 8, 2
"""Verified of a model layer by layer, and of one of more than LARGE_MACS."""
INPUTS_AGAIN, INPUTS_LARGE_GOAL = 2, 1
"""The same of a goal that allows MACs twice, and of any goal of a large model."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one model, layer by layer; `m4` and `h7` are reports of `verify` (None: does not fit)."""

    name: str
    m4: dict[str, Any]
    h7: dict[str, Any] | None
    speed: Speed
    code_bytes: int  # of the model and its kernels; that of a report is the whole firmware's
    compile_s: float
    compile_mb: float


@dataclass(frozen=True, slots=True)
class GoalMeasurement:
    """A goal and the report of `verify` (None: does not fit, and why)."""

    goal: Goal
    report: dict[str, Any] | None
    why_not: str
    search_s: float
    slowdown: float | None  # instructions, as a multiple of those layer by layer on the same board
    peer: PeerPoint | None  # of other engines, to hold it against


def measure(model: str) -> Measurement:
    m4, h7 = load_board(M4_BOARD), load_board("h7")
    compiled = compile_for(find_model(model), m4, DEFAULT)
    seconds, megabytes = _compile_cost(model)
    verified_h7 = None
    with suppress(DoesNotFit):  # the table says so
        verified_h7 = verify_report(compile_for(find_model(model), h7, DEFAULT), h7, inputs=1, seed=0, port="")
    inputs = INPUTS_LARGE if compiled.found.model_macs > LARGE_MACS else INPUTS
    return Measurement(
        name=compiled.model.name,
        m4=verify_report(compiled, m4, inputs=inputs, seed=0, port=""),
        h7=verified_h7,
        speed=measure_speed(model, compiled),
        code_bytes=code_bytes(generate(compiled, m4.name), m4),
        compile_s=seconds,
        compile_mb=megabytes,
    )


def measure_goal(model: str, goal: Goal, layers: Measurement) -> GoalMeasurement:
    """`model` as on the command line; `layers` is the same model layer by layer."""
    board, start = load_board(goal.board), time.monotonic()
    try:
        compiled = compile_for(find_model(model), board, Choices(Edges.INT8, goal.options))
        seconds = time.monotonic() - start
        inputs = INPUTS if goal.max_macs == 1 else INPUTS_AGAIN
        inputs = INPUTS_LARGE_GOAL if compiled.found.model_macs > LARGE_MACS else inputs
        report = verify_report(compiled, board, inputs=inputs, seed=0, port="")
    except DoesNotFit as error:
        return GoalMeasurement(goal, None, str(error), time.monotonic() - start, None, None)
    unit = board.simulator.unit
    slowdown = report[unit] / layers.m4[unit] if layers.m4["board"] == board.name else None
    most = max(report["macs_factor"], goal.max_macs or 1.0)
    peer = best_peer(layers.name, report["arena_bytes"], most, with_image=goal.mode is InputMode.RESIDENT)
    return GoalMeasurement(goal, report, "", seconds, slowdown, peer)


def _compile_cost(model: str) -> tuple[float, float]:
    """Seconds and peak memory of import + plan + generate in a process of its own; CP-SAT has no time to work."""
    start = time.monotonic()
    pid = os.posix_spawn(sys.executable, [sys.executable, "-m", "tessera.bench.compile_once", model], _environment())
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"compiling {model} failed")
    return time.monotonic() - start, usage.ru_maxrss * 1024 / 1e6


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "tools")}


def model_arguments(folder: Path) -> list[str]:
    """Every model to measure: the project's own, then the .tflite files of a folder."""
    return [*model_names(), *sorted(str(p) for p in folder.glob("*.tflite"))]
