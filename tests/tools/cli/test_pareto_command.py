"""`./inv plan --pareto`: every line is a schedule that a plan with its limits finds too, and the plot shows them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from small_net import small_net
from tessera.board import load_board
from tessera.cli.choices import parse_choices
from tessera.cli.pareto import plan_pareto
from tessera.errors import BadInput
from tessera.models import find_model
from tessera.pipeline import compile_model
from tessera.schedule.options import ScheduleOptions
from tessera.schedule.schedule import InputMode


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("models") / "tall.tflite"
    path.write_bytes(small_net(height=48, width=40))
    return str(path)


@pytest.fixture(scope="module")
def plot(model: str) -> Path:
    return Path(model).with_name("front.svg")


@pytest.fixture(scope="module")
def report(model: str, plot: Path) -> dict[str, Any]:
    out = plot.with_name("front.json")
    plan_pareto(model, "f4", parse_choices(input_mode="streamed"), str(plot), str(out))
    read: dict[str, Any] = json.loads(out.read_text())
    return read


def points(report: dict[str, Any], mode: InputMode) -> list[dict[str, Any]]:
    return [p for p in report["front"] if p["input"] == mode.value]


def test_the_mode_that_was_asked_for_comes_first(report: dict[str, Any]) -> None:
    assert list(dict.fromkeys(p["input"] for p in report["front"])) == ["streamed", "resident", "reread"]


@pytest.mark.parametrize("mode", InputMode)
def test_no_line_is_beaten_and_the_last_computes_nothing_again(report: dict[str, Any], mode: InputMode) -> None:
    front = points(report, mode)
    assert [p["sram_bytes"] for p in front] == sorted({p["sram_bytes"] for p in front})
    assert [p["macs_executed"] for p in front] == sorted({p["macs_executed"] for p in front}, reverse=True)
    assert front[-1]["macs_factor"] == 1
    assert all(p["sram_bytes"] == p["arena_bytes"] >= p["scratch_bytes"] for p in front)
    assert all(p["instructions_factor_estimated"] >= 1 for p in front)


@pytest.mark.parametrize("mode", InputMode)
def test_a_plan_within_the_macs_of_a_line_needs_no_more(model: str, report: dict[str, Any], mode: InputMode) -> None:
    for line in points(report, mode):
        options = ScheduleOptions(mode, max_macs=line["macs_factor"])
        found = compile_model(find_model(model), load_board("f4"), options=options, time_limit_s=1).found
        assert found.factor <= line["macs_factor"]
        assert found.needed_bytes <= 1.02 * line["sram_bytes"]


def test_the_plot_has_a_dot_for_every_line(report: dict[str, Any], plot: Path) -> None:
    ET.parse(plot)
    text = plot.read_text()
    for line in report["front"]:
        assert f"{line['sram_bytes']:,} B, {line['macs_executed']:,} MACs" in text


def test_limits_are_refused(model: str) -> None:
    for choices in (parse_choices(sram="64k"), parse_choices(max_macs="1.1")):
        with pytest.raises(BadInput, match=r"leave out --sram and --max-macs"):
            plan_pareto(model, "f4", choices, "", "")
