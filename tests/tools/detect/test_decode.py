from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from detectors import output, small_detector, small_outputs, small_spec
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tessera.detect.decode import Detection, decode, make_detector, overlaps
from tessera.errors import BadInput

Outputs = dict[str, NDArray[np.int8]]


def empty(cells: int = 4, classes: int = 2) -> Outputs:
    return {
        "scores_8": np.full((1, cells, cells, classes), -128, np.int8),
        "boxes_8": np.full((1, cells, cells, 4), 3, np.int8),  # t = 0
    }


def test_nothing_above_the_threshold_finds_nothing() -> None:
    assert decode(small_detector(), empty()) == ()


def test_t_of_zero_is_a_box_of_base_size_half_a_cell_into_the_cell() -> None:
    outputs = empty()
    outputs["scores_8"][0, 1, 2, 1] = 0
    # centre (2.5, 1.5) * 8 px, 16 px wide and high, in 1/16 px
    assert decode(small_detector(), outputs) == (Detection(192, 64, 448, 320, 128, 1),)


def test_corners_are_clipped_to_the_input() -> None:
    outputs = empty()
    outputs["scores_8"][0, 0, 0, 0] = 127
    outputs["boxes_8"][0, 0, 0] = (3, 3, 127, 127)
    (box,) = decode(small_detector(), outputs)
    assert (box.x1, box.y1, box.x2, box.y2) == (0, 0, 320, 320)  # 64 - 256 and 64 + 256


def test_the_threshold_itself_is_a_candidate() -> None:
    outputs = empty()
    outputs["scores_8"][0, 0, 0, 0] = -64
    assert len(decode(small_detector(), outputs)) == 1
    outputs["scores_8"][0, 0, 0, 0] = -65
    assert decode(small_detector(), outputs) == ()


def test_of_two_boxes_in_one_place_the_better_stays_unless_the_class_differs() -> None:
    outputs = empty()
    outputs["scores_8"][0, 1, 1] = (50, 60)
    outputs["scores_8"][0, 1, 2] = (40, -128)
    outputs["boxes_8"][0, 1, 2, 0] = -100  # its centre moves back to the first cell's
    assert [(d.score, d.label) for d in decode(small_detector(), outputs)] == [(188, 1), (178, 0)]


def test_ties_go_to_the_lower_row_column_and_class() -> None:
    outputs = empty()
    outputs["scores_8"][:] = 10
    outputs["boxes_8"][..., 2:] = -128  # small, so that none overlap
    found = decode(small_detector(candidates=5), outputs)
    assert [(d.x1 // 128, d.y1 // 128, d.label) for d in found] == [
        (0, 0, 0),
        (0, 0, 1),
        (1, 0, 0),
        (1, 0, 1),
        (2, 0, 0),
    ]


def test_a_box_outside_the_input_is_no_candidate() -> None:
    spec = replace(small_spec(), levels=(replace(small_spec().levels[0], base=0.5),))
    outputs = empty()
    outputs["scores_8"][0, 0, 0, 0] = 127
    outputs["boxes_8"][0, 0, 0] = (-128, 3, 3, 3)  # centred near x = -4 px, half a px wide
    assert decode(make_detector(spec, small_outputs(spec, scale=0.1)), outputs) == ()


def test_iou_compares_exactly() -> None:
    a, b = Detection(0, 0, 4, 4, 9, 0), Detection(0, 0, 4, 2, 9, 0)  # IoU 1/2
    assert overlaps(a, b, 127)
    assert not overlaps(a, b, 128)


def test_tables_are_what_the_formula_says() -> None:
    (tables,) = small_detector().levels
    for q in range(-128, 128):
        t = 0.03 * (q - 3)
        assert tables.offset[q + 128] == round((2 / (1 + math.exp(-t)) - 0.5) * 8 * 16)
        assert tables.size[q + 128] == min(512, max(1, round(16 * 16 * math.exp(t))))


def test_huge_scales_do_not_overflow() -> None:
    spec = small_spec()
    (tables,) = make_detector(spec, small_outputs(spec, scale=50.0)).levels
    assert tables.size.min() == 1
    assert tables.size.max() == 512
    assert tables.offset.min() == -64
    assert tables.offset.max() == 192


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores_8": output("scores_8", 1, 4, 2, 1 / 128, -128)}, "1/256"),
        ({"scores_8": output("scores_8", 1, 4, 3, 1 / 256, -128)}, "shape"),
        ({"boxes_8": output("boxes_8", 0, 2, 4, 0.1, 0)}, "shape"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(change: dict[str, object], words: str) -> None:
    spec = small_spec()
    with pytest.raises(BadInput, match=words):
        make_detector(spec, {**small_outputs(spec), **change})  # type: ignore[dict-item]


def test_an_output_that_is_missing_is_named() -> None:
    with pytest.raises(BadInput, match="scores_8"):
        make_detector(small_spec(), {})


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_what_is_found_keeps_the_promises(seed: int) -> None:
    rng = np.random.default_rng(seed)
    detector = small_detector((8, 16))
    outputs = {}
    for tables in detector.levels:
        shape = (1, tables.rows, tables.cols)
        outputs[tables.level.scores] = rng.integers(-128, 128, (*shape, 2)).astype(np.int8)
        outputs[tables.level.boxes] = rng.integers(-128, 128, (*shape, 4)).astype(np.int8)
    found = decode(detector, outputs)
    assert len(found) <= detector.max_candidates
    assert [d.score for d in found] == sorted((d.score for d in found), reverse=True)
    for i, d in enumerate(found):
        assert 0 <= d.x1 < d.x2 <= detector.extent
        assert 0 <= d.y1 < d.y2 <= detector.extent
        assert d.score >= detector.score_threshold
        assert not any(k.label == d.label and overlaps(k, d, detector.nms_iou_256) for k in found[:i])
