"""`bench` on one small model: what it measures and the page that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tessera.bench.measure import INPUTS, measure
from tessera.cli.bench import below, render
from tessera.errors import CorruptModel


@pytest.mark.qemu
def test_a_measured_model_becomes_a_row(small_model: bytes, tmp_path: Path) -> None:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_model)
    first, again = measure(str(path)), measure(str(path))
    assert first.run_m4["instructions"] == again.run_m4["instructions"] > first.plan["macs"]
    assert first.verify_m4["inputs"] == INPUTS
    assert first.verify_m4["equal"] == first.verify_m4["tensors"]
    assert first.verify_h7 is not None
    page = render("measurements.md.jinja2", [first], ["other: is refused"])
    assert page == render("measurements.md.jinja2", [again], ["other: is refused"])
    row = next(line for line in page.splitlines() if line.startswith("| small |"))
    assert f"| {first.plan['arena_bytes']:,} |" in row
    assert "* other: is refused" in page


def test_a_damaged_model_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "nothing.tflite"
    path.write_bytes(b"\0" * 64)
    with pytest.raises(CorruptModel, match="nothing"):
        measure(str(path))


def test_figures_that_vary_are_given_as_limits() -> None:
    assert below(0.3, [1, 2]) == "≤ 1"
    assert below(1.5, [1, 2]) == "≤ 2"
    assert below(9, [1, 2]) == "> 2"
