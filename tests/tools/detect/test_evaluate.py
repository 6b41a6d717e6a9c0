from __future__ import annotations

import math

import pytest

from tessera.detect.evaluate import Scored, Truth, average_precision, evaluate, iou, precision_recall

BOX = (0.0, 0.0, 10.0, 10.0)
FAR = (50.0, 50.0, 60.0, 60.0)


def truth(corners: tuple[float, float, float, float], label: int = 0) -> Truth:
    return Truth(*corners, label=label)


def found(corners: tuple[float, float, float, float], score: float, label: int = 0) -> Scored:
    return Scored(*corners, label=label, score=score)


def test_iou_of_half_shifted_boxes() -> None:
    assert iou(truth(BOX), truth((5.0, 0.0, 15.0, 10.0))) == pytest.approx(50 / 150)


def test_boxes_that_touch_do_not_overlap() -> None:
    assert iou(truth(BOX), truth((10.0, 0.0, 20.0, 10.0))) == 0


def test_all_found_is_one() -> None:
    assert average_precision([[found(BOX, 0.9), found(FAR, 0.5)]], [[truth(BOX), truth(FAR)]], 0) == 1


def test_nothing_found_is_zero() -> None:
    assert average_precision([[]], [[truth(BOX)]], 0) == 0


def test_a_better_scored_miss_halves_the_precision() -> None:
    assert average_precision([[found(FAR, 0.9), found(BOX, 0.5)]], [[truth(BOX)]], 0) == 0.5


def test_a_worse_scored_miss_costs_nothing() -> None:
    assert average_precision([[found(BOX, 0.9), found(FAR, 0.5)]], [[truth(BOX)]], 0) == 1


def test_the_second_hit_on_a_box_is_a_miss() -> None:
    # ranked: hit, miss (same box), hit; precision at the hits: 1/1 and 2/3; two boxes
    image = [found(BOX, 0.9), found((1.0, 0.0, 10.0, 10.0), 0.8), found(FAR, 0.7)]
    assert average_precision([image], [[truth(BOX), truth(FAR)]], 0) == pytest.approx((1 + 2 / 3) / 2)


def test_the_envelope_takes_later_precision() -> None:
    # ranked: miss, hit, hit; precision 0, 1/2, 2/3, so both hits count 2/3; three boxes
    images = [[found(FAR, 0.9)], [found(BOX, 0.8)], [found(FAR, 0.7)]]
    boxes = [[truth(BOX)], [truth(BOX)], [truth(FAR)]]
    assert average_precision(images, boxes, 0) == pytest.approx(2 * (2 / 3) / 3)


def test_a_box_in_another_image_does_not_count() -> None:
    assert average_precision([[found(BOX, 0.9)], []], [[], [truth(BOX)]], 0) == 0


def test_an_iou_of_exactly_one_half_is_a_hit() -> None:
    assert average_precision([[found((0.0, 0.0, 10.0, 5.0), 0.9)]], [[truth(BOX)]], 0) == 1


def test_classes_are_apart_and_the_mean_skips_those_without_truth() -> None:
    result = evaluate([[found(BOX, 0.9, label=0), found(FAR, 0.8, label=1)]], [[truth(BOX, 0), truth(BOX, 1)]], 3)
    assert result.per_class[:2] == (1.0, 0.0)
    assert math.isnan(result.per_class[2])
    assert result.mean == 0.5


def test_precision_and_recall_count_detections_of_at_least_the_score() -> None:
    images = [[found(BOX, 0.9), found(FAR, 0.6), found(BOX, 0.5), found(FAR, 0.4)]]
    boxes = [[truth(BOX), truth(FAR), truth((100.0, 0.0, 110.0, 10.0)), truth((200.0, 0.0, 210.0, 10.0))]]
    assert precision_recall(images, boxes, 0, 0.6) == (1, 0.5)
    assert precision_recall(images, boxes, 0, 0.5) == pytest.approx((2 / 3, 0.5))
    assert precision_recall([[]], boxes, 0, 0.5) == (0, 0)
