"""What `bench` measures of one model: the compiler on the host, the firmware on simulators."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tessera.board import load_board
from tessera.cli.choices import DEFAULT, Choices, compile_for
from tessera.cli.plan import plan_report
from tessera.cli.run import run_once
from tessera.cli.verify import verify_report
from tessera.errors import DoesNotFit
from tessera.models import ROOT, find_model, model_names
from tessera.oracle.inputs import test_inputs

INPUTS = 8


@dataclass(frozen=True, slots=True)
class Measurement:
    """Figures of one model; `run_m4` is the report of `run`, `verify_*` those of `verify` (None: does not fit)."""

    name: str
    file_bytes: int
    plan: dict[str, Any]
    run_m4: dict[str, Any]
    verify_m4: dict[str, Any]
    verify_h7: dict[str, Any] | None
    why_not_h7: str
    compile_s: float
    compile_mb: float


def measure(model: str, choices: Choices = DEFAULT) -> Measurement:
    m4, h7 = load_board("qemu-m4"), load_board("h7")
    compiled = compile_for(find_model(model), m4, choices)
    seconds, megabytes = _compile_cost(model)
    verified_h7, why_not = None, ""
    try:
        verified_h7 = verify_report(compile_for(find_model(model), h7, choices), h7, inputs=1, seed=0, port="")
    except DoesNotFit as error:
        why_not = str(error)
    return Measurement(
        name=compiled.model.name,
        file_bytes=len(compiled.content),
        plan=plan_report(compiled, m4),
        run_m4=run_once(compiled, m4, test_inputs(compiled.graph, 1, 0)[0], "")[0],
        verify_m4=verify_report(compiled, m4, inputs=INPUTS, seed=0, port=""),
        verify_h7=verified_h7,
        why_not_h7=why_not,
        compile_s=seconds,
        compile_mb=megabytes,
    )


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
