from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_models import SMALL_MODELS, generate

from tessera.codegen.generate import Sources
from tessera.codegen.host import FLAGS, build_host, run_host
from tessera.codegen.runner import LIBRARY

GOLDEN = Path(__file__).parent / "golden"
ARM = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb")


@pytest.mark.parametrize("name", SMALL_MODELS)
def test_golden(name: str, request: pytest.FixtureRequest) -> None:
    files, folder = generate(name).files, GOLDEN / name
    if request.config.getoption("--update-golden", default=False):
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / file).write_text(text)
    assert {p.name: p.read_text() for p in folder.iterdir()} == dict(files)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert generate("head").files == generate("head").files


def test_files_and_names() -> None:
    sources = generate("edge")
    assert sources.symbol == "edge_model"
    assert set(sources.files) == {"edge.c", "edge.h", "edge_weights.h", "tess_model_config.h", "plan.json"}
    assert all("\t" not in text and "/work" not in text for text in sources.files.values())


def test_plan_json_restates_the_plan() -> None:
    plan = json.loads(generate("residual").files["plan.json"])
    assert [step["kernel"] for step in plan["steps"]] == [
        "tess_depthwise_conv2d_s8",
        "tess_conv2d_1x1_s8",
        "tess_add_s8",
    ]
    assert plan["macs"] == sum(step["macs"] for step in plan["steps"]) == 5 * 3 * 4 * 9 + 5 * 3 * 4 * 4
    assert plan["peak_sram_bytes"] == plan["arena_bytes"]
    assert all(b["offset"] + b["bytes"] <= plan["arena_bytes"] for b in plan["buffers"])


def test_the_runner_answers_steps_and_outputs(tmp_path: Path) -> None:
    program = build_host(generate("head"), tmp_path, sanitize=False)
    answer = run_host(program, [np.zeros((1, 3, 3, 6), np.int8)])
    assert len(answer.step_checks) == 3
    assert [len(out) for out in answer.outputs] == [4, 4]


def compiler_says(sources: Sources, folder: Path, compiler: tuple[str, ...] = ("gcc",), *extra: str) -> str:
    for file, text in sources.files.items():
        (folder / file).write_text(text)
    line = [*compiler, *FLAGS, *extra, "-c", str(folder / f"{sources.name}.c"), "-o", str(folder / "model.o")]
    return subprocess.run(line, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize("name", SMALL_MODELS)
def test_it_compiles_without_a_warning_for_a_cortex_m(name: str, tmp_path: Path) -> None:
    if shutil.which(ARM[0]) is None:
        pytest.skip(f"{ARM[0]} is not installed")
    assert compiler_says(generate(name), tmp_path, ARM) == ""


def changed(sources: Sources, file: str, old: str, new: str) -> Sources:
    assert old in sources.files[file]
    files = {**sources.files, file: sources.files[file].replace(old, new)}
    return replace(sources, files=files)


def test_files_of_two_runs_do_not_build(tmp_path: Path) -> None:
    sources = generate("edge")
    stale = changed(sources, "edge_weights.h", sources.hash, "0123456789abcdef")
    assert "are of different runs" in compiler_says(stale, tmp_path)


def test_a_buffer_outside_the_arena_does_not_build(tmp_path: Path) -> None:
    sources = generate("edge")
    arena = json.loads(sources.files["plan.json"])["arena_bytes"]
    small = changed(sources, "edge.h", f"EDGE_MEMORY_0_BYTES {arena}", "EDGE_MEMORY_0_BYTES 16")
    assert "breaks the memory plan" in compiler_says(small, tmp_path)


def test_another_library_does_not_build(tmp_path: Path) -> None:
    """A library whose ABI number or whose structs changed."""
    sources = generate("edge")
    for header, old, new, message in (
        ("model.h", "#define TESS_ABI 3", "#define TESS_ABI 4", "interface changed"),
        ("conv2d.h", "int32_t weights_zero_point;", "int32_t weights_zero_point, more;", "tess_conv2d_s8_t changed"),
    ):
        include = tmp_path / header / "include"
        shutil.copytree(LIBRARY / "include", include)
        path = include / "tessera" / header
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        for file, content in sources.files.items():
            (tmp_path / file).write_text(content)
        line = ["gcc", "-std=c11", f"-I{include}", "-c", str(tmp_path / "edge.c"), "-o", str(tmp_path / "model.o")]
        assert message in subprocess.run(line, capture_output=True, text=True, check=False).stderr
