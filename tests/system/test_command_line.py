"""The command line as a contract: exit codes, one clear sentence for bad input, JSON keys, nothing half written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]

PLAN_KEYS = {
    *("model", "board", "schedule", "arena_bytes", "scratch_bytes", "input_frame_bytes", "peak_sram_bytes"),
    *("lower_bound_bytes", "optimal", "macs", "macs_executed", "weights_bytes", "code_bytes"),
    *("input", "input_modes", "input_frame_in_arena_bytes", "input_bytes_pulled", "input_pulls_per_byte"),
    *("macs_factor", "stages", "memories", "kernel_set"),
}
SRAM_KEYS = {
    *("stack_bytes", "static_ram_bytes", "stack_reserved_bytes", "sram_total_bytes", "sram_limit_bytes"),
    "within_limit",
}
RUN_KEYS = {*PLAN_KEYS, *SRAM_KEYS, "instructions", "flash_bytes", "outputs"}


def inv(*words: str | Path, expect: int = 0) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    line = [sys.executable, "-m", "invoke", "--search-root", str(ROOT), *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, env={**os.environ, "PATH": path, "COLUMNS": "120"})
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The only thing on stderr: one line that starts with `error:`, no traceback."""
    text = done.stderr.strip()
    assert text.startswith("error: "), text
    assert "Traceback" not in done.stdout + done.stderr
    assert "\n" not in text, text
    return text


@pytest.fixture
def model(small_model: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model)
    return path


def test_every_task_explains_itself() -> None:
    for task in ("inspect", "plan", "build", "run", "verify", "detect-demo", "test", "lint", "bench"):
        text = inv("--help", task).stdout
        assert re.search(r"Docstring:\n  \S.{20}", text), task


def test_inspect_reports_operators(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "inspect.json"
    shown = inv("inspect", "--model", model, "--json", out).stdout
    report = json.loads(out.read_text())
    assert "Conv2D" in shown
    assert report["macs"] > 0
    assert {op["kind"] for op in report["operators"]} >= {"Conv2D", "DepthwiseConv2D"}


def test_plan_writes_json_and_a_picture(model: Path, tmp_path: Path) -> None:
    out, svg = tmp_path / "plan.json", tmp_path / "plan.svg"
    inv("plan", "--model", model, "--board", "f4", "--json", out, "--svg", svg)
    report = json.loads(out.read_text())
    assert report.keys() >= PLAN_KEYS
    assert report["folded"]["channels"] == 0
    assert report["folded"]["macs"] == report["folded"]["macs_in_file"] == report["macs"]
    assert report["peak_sram_bytes"] == report["arena_bytes"] + report["input_frame_bytes"]
    assert report["lower_bound_bytes"] <= report["arena_bytes"]
    assert report["schedule"] == "layerwise"
    assert set(report["modes"]) == {"resident", "streamed", "reread"}
    assert report["modes"]["resident"]["arena_bytes"] == report["arena_bytes"]
    assert svg.read_text().startswith("<svg")


@pytest.mark.qemu
def test_run_reports_instructions_and_saves_outputs(model: Path, tmp_path: Path) -> None:
    out, npz = tmp_path / "run.json", tmp_path / "out.npz"
    inv("run", "--model", model, "--board", "qemu-m4", "--seed", "3", "--json", out, "--outputs", npz)
    report = json.loads(out.read_text())
    assert report.keys() >= RUN_KEYS
    assert report["instructions"] > report["macs"]
    assert 0 < report["stack_bytes"] < 4096
    saved = np.load(npz)
    assert list(saved) == [o["name"] for o in report["outputs"]]


@pytest.mark.qemu
def test_run_takes_an_array_and_refuses_a_wrong_one(model: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.npy", tmp_path / "bad.npy"
    np.save(good, np.zeros((1, 12, 10, 3), np.int8))
    np.save(bad, np.zeros((1, 12, 10, 4), np.int8))
    inv("run", "--model", model, "--board", "qemu-m4", "--image", good)
    assert "[1, 12, 10, 4]" in sentence(inv("run", "--model", model, "--board", "qemu-m4", "--image", bad, expect=2))


@pytest.mark.qemu
def test_verify_counts_tensors(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "verify.json"
    inv("verify", "--model", model, "--board", "qemu-m4", "--inputs", "3", "--json", out)
    report = json.loads(out.read_text())
    assert report["tensors"] == report["equal"] > 5
    assert report["inputs"] == 3
    assert report.keys() >= SRAM_KEYS
    assert report["first_difference"] is None


@pytest.mark.qemu
def test_run_pulls_the_image_within_a_limit(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    limits = ("--input", "streamed", "--sram", "6700", "--max-macs", "1.2")
    shown = inv("run", "--model", model, "--board", "qemu-m4", *limits, "--json", out).stdout
    report = json.loads(out.read_text())
    assert "within the limit of 6,700 B" in " ".join(shown.split())
    assert (report["input"], report["schedule"], report["within_limit"]) == ("streamed", "streamed", True)
    assert report["sram_total_bytes"] <= report["sram_limit_bytes"] == 6700
    assert report["input_frame_in_arena_bytes"] == 0
    assert report["input_pulls_per_byte"] == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("inspect", "--model", "nothing.tflite"), 2, "no such file"),
        (("plan", "--model", "MODEL", "--board", "h8"), 2, "qemu-m4"),
        (("plan", "--model", "MODEL", "--edges", "half"), 2, "int8 or float"),
        (("run", "--model", "MODEL", "--image", "nothing.png"), 2, "no such file"),
        (("run", "--model", "MODEL", "--image", "README.md"), 2, "not a readable picture"),
        (("run", "--model", "MODEL", "--input", "photo.png"), 2, "given with --image"),
        (("plan", "--model", "MODEL", "--sram", "64q"), 2, "for instance 65536, 64k or 64kB"),
        (("build", "--model", "MODEL", "--max-macs", "0.5"), 2, "--max-macs 0.5: must be a number of at least 1"),
        (("verify", "--model", "MODEL", "--sram", "4k"), 4, "leaves nothing for the model"),
        (("run", "--model", "MODEL", "--sram", "6500"), 4, "does not fit on h7 in 6,500 B of SRAM"),
        (("verify", "--model", "MODEL", "--inputs", "0"), 2, "at least 1"),
        (("run", "--model", "MODEL", "--board", "f4", "--port", "/dev/nothing"), 5, "/dev/nothing"),
        (("detect-demo", "--images", "nowhere"), 2, "nowhere"),
    ],
)
def test_bad_input_is_one_sentence(model: Path, words: tuple[str, ...], code: int, says: str) -> None:
    done = inv(*(str(model) if w == "MODEL" else str(ROOT / w) if w == "README.md" else w for w in words), expect=code)
    assert says in sentence(done)


def test_a_truncated_file_is_one_sentence(small_model: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(small_model[: len(small_model) // 2])
    assert "broken" in sentence(inv("inspect", "--model", broken, expect=2))


def test_a_model_too_big_says_by_how_much(large_model: bytes, tmp_path: Path) -> None:
    path, out = tmp_path / "large.tflite", tmp_path / "plan.json"
    path.write_bytes(large_model)
    done = inv("build", "--model", path, "--board", "f4", "--json", out, expect=4)
    assert re.search(r"\d[\d,]* B", sentence(done))
    assert not out.exists()
