"""The cross runner: what it answers, and that what goes wrong on the simulated core ends with its reason."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_models import SMALL_MODELS, generate

from single_op import draw_case
from tessera.codegen.cross import build_cross, run_cross_batch
from tessera.codegen.generate import Sources, generate_c
from tessera.codegen.host import build_host, run_host_batch
from tessera.codegen.runner import Request
from tessera.errors import TesseraError
from tessera.frontend.tflite import load_tflite
from tessera.memory.planner import plan_memory
from tessera.passes import PASSES, run_passes
from tessera.schedule.layerwise import make_schedule

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

SHAPES = {"edge": (1, 4, 4, 1), "residual": (1, 5, 3, 4), "head": (1, 3, 3, 6), "rows": (1, 5, 3, 4)}
KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MEAN", "SOFTMAX", "RESIZE_BILINEAR", "PAD")


def named(name: str) -> Sources:
    """`rows` is the model `residual` in another schedule; in one program their names differ."""
    sources = generate(name)
    if name != "rows":
        return sources
    files = {file.replace("residual", "rows"): text.replace("residual", "rows") for file, text in sources.files.items()}
    return replace(sources, name="rows", symbol="rows_model", files=files)


def test_small_models_answer_as_on_the_host(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sources = [named(name) for name in SMALL_MODELS]
    requests = [
        Request(i, [rng.integers(-128, 128, SHAPES[name]).astype(np.int8)])
        for i, name in enumerate(SMALL_MODELS)
        for _ in range(3)
    ]
    on_host = run_host_batch(build_host(sources, tmp_path / "host"), requests)
    crossed = run_cross_batch(build_cross(sources, tmp_path / "cross"), requests)
    assert [replace(run, step_instructions=()) for run in crossed] == [
        replace(run, step_instructions=()) for run in on_host
    ]
    for run in crossed:
        assert all(0 < count < 100_000 for count in run.step_instructions)


def test_operators_answer_as_on_the_host(tmp_path: Path) -> None:
    sources, requests = [], []
    for i, (kind, seed) in enumerate((kind, seed) for kind in KINDS for seed in range(2)):
        model, inputs = draw_case(kind, seed)
        graph = run_passes(load_tflite(model, name=f"{kind}_{seed}".lower()), PASSES)
        schedule = make_schedule(graph)
        sources.append(generate_c(graph, schedule, plan_memory(schedule), None))
        requests.append(Request(i, inputs))
    on_host = run_host_batch(build_host(sources, tmp_path / "host"), requests)
    crossed = run_cross_batch(build_cross(sources, tmp_path / "cross"), requests)
    for a, b in zip(on_host, crossed, strict=True):
        assert (a.step_checks, a.outputs) == (b.step_checks, b.outputs)


def edge_that_first(statement: str) -> Sources:
    """The model `edge` with a statement at the beginning of its run."""
    sources = generate("edge")
    begin = "(const tess_memory_t *memories, const tess_calls_t *calls)\n{\n"
    text = sources.files["edge.c"]
    assert begin in text
    return replace(sources, files={**sources.files, "edge.c": text.replace(begin, begin + statement)})


def run_edge(statement: str, folder: Path) -> None:
    program = build_cross(edge_that_first(statement), folder)
    run_cross_batch(program, [Request(0, [np.zeros(SHAPES["edge"], np.int8)])])


WRONG = {
    "a store to constants": ("*(volatile uint8_t *)0x1000 = 0;", "fault at"),
    "an address without memory": ("*(volatile uint8_t *)0x30000000 = 0;", "fault at"),
    "a broken precondition": ("TESS_ASSERT(calls == NULL);", "TESS_ASSERT failed"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_goes_wrong_ends_with_its_reason(what: str, tmp_path: Path) -> None:
    statement, says = WRONG[what]
    with pytest.raises(TesseraError, match=says):
        run_edge(statement, tmp_path)


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera.codegen.cross.TIMEOUT_S", 1)
    with pytest.raises(TesseraError, match="did not end within 1 s"):
        run_edge("for (volatile int i = 0;; ++i) {}", tmp_path)
