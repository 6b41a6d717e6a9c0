"""Whole models with the planner's overlaps, on the host under sanitizers: every step against the interpreter.

In layers, and with as little memory as the search finds, which streams most of a model and rewrites blocks of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from on_host import array_bytes, assert_answers
from shared_files import shared_model_names
from tessera.codegen.host import build_host, run_host_batch
from tessera.codegen.runner import Request
from tessera.interpreter import run as interpret
from tessera.models import find_model
from tessera.oracle.inputs import test_inputs as draw_inputs
from tessera.pipeline import compile_model, generate
from tessera.schedule.options import DEFAULT, ScheduleOptions
from tessera.schedule.schedule import InputMode

OPTIONS = {
    "layers": DEFAULT,
    "streamed": ScheduleOptions(InputMode.STREAMED, max_macs=1.05),
}


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("name", shared_model_names())
def test_model(name: str, options: ScheduleOptions, shared_models: Path, tmp_path: Path) -> None:
    compiled = compile_model(find_model(str(shared_models / name)), None, options=options, time_limit_s=1)
    inputs = draw_inputs(compiled.graph, 2, 3)
    program = build_host(generate(compiled, None), tmp_path)
    runs = run_host_batch(program, [Request(0, arrays) for arrays in inputs])
    for arrays, answer in zip(inputs, runs, strict=True):
        assert_answers(compiled.schedule, arrays, answer)
        before = interpret(compiled.passed, arrays)
        assert answer.outputs == tuple(array_bytes(before[t]) for t in compiled.passed.outputs)
