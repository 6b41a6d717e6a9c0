"""Whole models with the planner's overlaps, on the host under sanitizers: every step against the interpreter."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from shared_files import shared_model_names
from tessera.codegen.host import HostRequest, build_host, run_host_batch
from tessera.interpreter import run as interpret
from tessera.models import find_model
from tessera.oracle.inputs import test_inputs as draw_inputs
from tessera.pipeline import compile_model, generate


@pytest.mark.slow
@pytest.mark.parametrize("name", shared_model_names())
def test_model(name: str, shared_models: Path, tmp_path: Path) -> None:
    compiled = compile_model(find_model(str(shared_models / name)), None, time_limit_s=1)
    inputs = draw_inputs(compiled.graph, 2, 3)
    program = build_host(generate(compiled, None), tmp_path)
    runs = run_host_batch(program, [HostRequest(0, arrays) for arrays in inputs])
    for arrays, answer in zip(inputs, runs, strict=True):
        values = interpret(compiled.graph, arrays)
        for call, crc in zip(compiled.kernels, answer.step_crcs, strict=True):
            value = values[call.output]
            assert value is not None
            assert crc == zlib.crc32(np.ascontiguousarray(value).tobytes()), f"{call.op}: {call.symbol}"
