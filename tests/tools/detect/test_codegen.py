from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from detectors import small_detector, small_outputs, small_spec

from tessera.detect.codegen import generate_detect, render
from tessera.detect.decode import make_detector
from tessera.detect.spec import read_outputs, read_spec
from tessera.errors import BadInput

MODEL = Path(__file__).resolve().parents[3] / "models" / "helmet" / "model.toml"


def test_tables_arrive_in_the_source() -> None:
    detector = small_detector()
    text = render("toy", "toy.tflite", "0" * 64, detector, small_outputs(small_spec())).source
    for name, table in (("offset_8", detector.levels[0].offset), ("size_8", detector.levels[0].size)):
        body = re.search(rf"{name}\[256\] = \{{(.*?)\}};", text, re.S)
        assert body
        assert [int(n) for n in body[1].split(",") if n.strip()] == table.tolist()


def test_names_are_quoted_for_c() -> None:
    spec = small_spec()
    detector = make_detector(replace(spec, classes=('a"b', "c\\d")), small_outputs(spec))
    text = render("toy", "toy.tflite", "0" * 64, detector, small_outputs(spec)).source
    assert '"a\\"b",' in text
    assert '"c\\\\d",' in text


def test_a_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(BadInput, match="identifier"):
        render("no-name", "x", "0", small_detector(), small_outputs(small_spec()))


def test_a_card_without_levels_says_so() -> None:
    with pytest.raises(BadInput, match="levels"):
        read_spec({"task": "detect", "classes": [], "input": {"size": 8}, "detect": {}})
    with pytest.raises(BadInput, match="task"):
        read_spec({})


@pytest.mark.skipif(not MODEL.with_name("helmet.tflite").is_file(), reason="models/helmet has not been trained")
def test_the_projects_detector_generates_the_same_bytes_twice() -> None:
    first, second = generate_detect(MODEL), generate_detect(MODEL)
    assert first == second
    assert "const tess_detect_t helmet_detect" in first.source
    assert {t.name for t in read_outputs(MODEL.with_name("helmet.tflite").read_bytes()).values()} == {
        "scores_8",
        "boxes_8",
    }
