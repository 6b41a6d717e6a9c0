"""`./inv patches`: its table, its choices, its pictures and its refusals."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tessera.cli.patches import show_patches
from tessera.errors import BadInput


def test_the_papers_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_patches("", 0, 0, str(tmp_path / "halo.svg"), str(tmp_path / "table.json"))
    report = json.loads((tmp_path / "table.json").read_text())
    for name, patch in (("mobilenetv2", 75), ("mobilenetv2_rd", 63)):
        computed, paper = report[name]["computed"], report[name]["paper"]
        assert computed["patch"] == [patch, patch] == [paper["patch"]] * 2
        assert computed["layerwise_bytes"] == 1024 * paper["layerwise_kib"]
        assert round(computed["peak_bytes"] / 1024 + 0.01) == paper["patched_kib"]
        assert "halo" in (tmp_path / f"halo_{name}.svg").read_text()
    assert "75x75" in capsys.readouterr().out


def test_the_best_choice_of_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_patches("mobilenetv2_rd", 4, 9, str(tmp_path / "halo.svg"), str(tmp_path / "best.json"))
    report = json.loads((tmp_path / "best.json").read_text())
    best = report["best"]
    assert [c["layers"] for c in report["choices"]] == [9]
    assert best["model_macs"] == best["patch_macs"] + best["other_macs"]
    assert best["stage_bytes"] <= best["image_patch_bytes"] < best["frame_bytes"]
    # what is really placed: whole output, patches with odd borders, and the largest layers behind, which share more
    assert best["peak_bytes"] <= best["arena_bytes"] < 1.1 * best["peak_bytes"]
    ET.parse(tmp_path / "halo.svg")
    assert "4x4 patches of 9 operators" in capsys.readouterr().out


def test_refusals() -> None:
    with pytest.raises(BadInput, match="must not be negative"):
        show_patches("mobilenetv2", -1, 0, "", "")
    with pytest.raises(BadInput, match="can end after 1, 2, 3"):
        show_patches("mobilenetv2", 2, 7, "", "")
    with pytest.raises(BadInput, match="no such file"):
        show_patches("no_such_model", 0, 0, "", "")
