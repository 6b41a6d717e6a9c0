"""`profile` on simulators: exact, deterministic, and the same instructions that a run counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_command_line import inv, sentence

pytestmark = [pytest.mark.qemu, pytest.mark.slow]
TALLY = {
    *("instructions", "loads", "stores", "branches", "multiplies", "other"),
    *("branches_taken", "unaligned_accesses", "estimated_cycles"),
}
PART = {*TALLY, "memory_loads", "memory_stores", "functions"}
PIECES = 200  # of the streamed small model, about
KINDS = ("loads", "stores", "branches", "multiplies", "other")


@pytest.fixture
def model(small_model: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model)
    return path


def profile(model: Path, out: Path, *more: str) -> dict[str, Any]:
    inv("profile", "--model", model, "--json", out, *more)
    report: dict[str, Any] = json.loads(out.read_text())
    return report


@pytest.mark.parametrize(
    ("board", "more"),
    [("h7", ()), ("f4", ()), ("qemu-m4", ("--input", "streamed", "--max-macs", "1"))],
    ids=["h7", "f4", "streamed"],
)
def test_a_profile_adds_up_to_what_a_run_counts(model: Path, tmp_path: Path, board: str, more: tuple[str, ...]) -> None:
    report = profile(model, tmp_path / "profile.json", "--board", board, *more)
    parts = [report["engine"], *report["steps"]]
    assert report["total"].keys() == TALLY
    for part in parts:
        assert part.keys() >= PART
        assert sum(part[kind] for kind in KINDS) == part["instructions"]
        assert sum(f["instructions"] for f in part["functions"]) == part["instructions"]
    assert sum(part["instructions"] for part in parts) == report["total"]["instructions"]
    assert sum(k["instructions"] for k in report["kernels"]) == sum(s["instructions"] for s in report["steps"])
    assert report["stack_bytes"] >= max(s["stack_bytes"] for s in report["steps"]) > 0
    for core in ("cortex-m4", "cortex-m7"):
        assert report["total"]["estimated_cycles"][core] > report["total"]["instructions"] / 2

    inv("run", "--model", model, "--board", board, "--json", tmp_path / "run.json", *more)
    run = json.loads((tmp_path / "run.json").read_text())
    # a run takes off what it costs to call its hook, give or take what its arguments cost
    pieces = len(run["steps"]) if run["schedule"] == "layerwise" else PIECES
    assert abs(run["instructions"] - report["total"]["instructions"]) <= 64 * pieces
    assert [s["kernel"] for s in report["steps"]] == [s["kernel"] for s in run["steps"]]


def test_a_profile_is_the_same_every_time(model: Path, tmp_path: Path) -> None:
    first, second = (profile(model, tmp_path / f"{n}.json", "--board", "qemu-m4") for n in (1, 2))
    assert first == second


def test_charts_and_the_hottest_blocks(model: Path, tmp_path: Path) -> None:
    svg, bars = tmp_path / "flame.svg", tmp_path / "bars.svg"
    shown = inv("profile", "--model", model, "--svg", svg, "--bars", bars, "--by", "cortex-m7", "--hot", "1").stdout
    assert svg.read_text().startswith("<svg")
    assert bars.read_text().startswith("<svg")
    assert "engine" in shown
    assert "cycles:" in shown


def test_what_cannot_be_profiled(model: Path, large_model: bytes, tmp_path: Path) -> None:
    assert "--by time" in sentence(inv("profile", "--model", model, "--by", "time", expect=2))
    large = tmp_path / "large.tflite"
    large.write_bytes(large_model)
    assert "does not fit" in sentence(inv("profile", "--model", large, "--board", "f4", expect=4))
