"""Charts of a profile: widths are what they stand for."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from profile_trace import CALLS, TRACE
from tessera.profile.profile import make_profile
from tessera.report.profile_bars import WIDTH as BARS_WIDTH
from tessera.report.profile_bars import bars_svg
from tessera.report.profile_flame import INSTRUCTIONS, WIDTH, flame_svg
from tessera.report.svg import fit_width, width_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("by", [INSTRUCTIONS, "cortex-m4", "cortex-m7"])
def test_widths_of_a_layer_add_up(by: str) -> None:
    text = flame_svg(make_profile(TRACE, CALLS), "a < b", by)
    assert text == flame_svg(make_profile(TRACE, CALLS), "a < b", by)
    layers: dict[str, float] = {}
    for group in ET.fromstring(text).iter(f"{SVG}g"):
        box = group.find(f"{SVG}rect")
        if group.find(f"{SVG}title") is not None and box is not None:
            y = box.get("y", "")
            layers[y] = layers.get(y, 0) + float(box.get("width", "nan"))
    assert len(layers) == 3
    for width in layers.values():
        assert width == pytest.approx(WIDTH, abs=5)  # hairlines between boxes


def test_every_step_has_a_bar_and_the_longest_fills_the_chart() -> None:
    root = ET.fromstring(bars_svg(make_profile(TRACE, CALLS), "a < b"))
    bars = [r for r in root.iter(f"{SVG}rect") if r.find(f"{SVG}title") is not None]
    widths: dict[str, float] = {}
    for bar in bars:
        y = bar.get("y", "")
        widths[y] = widths.get(y, 0) + float(bar.get("width", "nan"))
    assert len(widths) == 3
    assert max(widths.values()) == pytest.approx(BARS_WIDTH, abs=1)


def test_names_are_as_long_as_there_is_room() -> None:
    assert fit_width("gemm4_relu", 100) == "gemm4_relu"
    assert fit_width("gemm4_relu", 4.5) == "gemm…"
    assert fit_width("gemm4_relu", 1) == ""
    assert all(width_of(fit_width("gemm4_relu", room / 10)) <= room / 10 for room in range(80))
