"""Detector outputs to boxes, in integers only: the numpy twin of firmware/lib/detect/detect.c, equal to the last bit.

Coordinates are in 1/16 px of the model's input. A cell (row, col) of a level with stride s says

    cx = (col + 2 * sigmoid(tx) - 0.5) * s        w = base * exp(tw)

and likewise cy and h. Each function of an int8 is a table of 256 entries, so no device ever computes a sigmoid.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tessera.detect.spec import DetectSpec, Level, OutputTensor
from tessera.errors import BadInput

SUBPIXELS = 16  # units in one px
MAX_CANDIDATES = 256


@dataclass(frozen=True, slots=True)
class LevelTables:
    """A level with its tables, indexed by q + 128. `rows`, `cols` count cells; `offset`, `size` are in 1/16 px."""

    level: Level
    rows: int
    cols: int
    scores_output: int
    boxes_output: int
    offset: NDArray[np.int16]
    size: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Detector:
    """All that the decoder needs, as integers. A candidate has score >= score_threshold, of 0..255 (1/256)."""

    classes: tuple[str, ...]
    extent: int  # of the input, in 1/16 px
    score_threshold: int
    nms_iou_256: int
    max_candidates: int
    levels: tuple[LevelTables, ...]


@dataclass(frozen=True, slots=True)
class Detection:
    """Corners in 1/16 px of the input, half-open; score in 1/256."""

    x1: int
    y1: int
    x2: int
    y2: int
    score: int
    label: int


def make_detector(spec: DetectSpec, outputs: Mapping[str, OutputTensor]) -> Detector:
    if not 1 <= spec.max_candidates <= MAX_CANDIDATES:
        raise BadInput(f"model.toml: max_candidates is {spec.max_candidates}, it must be 1..{MAX_CANDIDATES}")
    if not spec.levels or not 1 <= len(spec.classes) <= 255 or not 1 <= spec.size <= 2047:
        raise BadInput("model.toml: a detector has at least one level, 1 to 255 classes and an input of 1..2047 px")
    return Detector(
        classes=spec.classes,
        extent=spec.size * SUBPIXELS,
        score_threshold=min(255, max(1, math.ceil(spec.score_threshold * 256))),
        nms_iou_256=round(spec.nms_iou * 256),
        max_candidates=spec.max_candidates,
        levels=tuple(_level_tables(level, spec, outputs) for level in spec.levels),
    )


def _level_tables(level: Level, spec: DetectSpec, outputs: Mapping[str, OutputTensor]) -> LevelTables:
    for name in (level.scores, level.boxes):
        if name not in outputs:
            raise BadInput(f"model.toml names the output {name}; the model's outputs are {', '.join(outputs)}")
    scores, boxes = outputs[level.scores], outputs[level.boxes]
    cells = spec.size // level.stride
    for tensor, channels in ((scores, len(spec.classes)), (boxes, 4)):
        if tensor.shape != (1, cells, cells, channels):
            raise BadInput(f"output {tensor.name}: shape {tensor.shape}, wanted {(1, cells, cells, channels)}")
    if scores.zero_point != -128 or not math.isclose(scores.scale, 1 / 256):
        raise BadInput(
            f"output {scores.name}: scale {scores.scale:g} and zero point {scores.zero_point}, wanted 1/256 and -128;"
            " end the scores with a sigmoid"
        )
    t = boxes.scale * (np.arange(-128, 128, dtype=np.float64) - boxes.zero_point)
    sigmoid = 1 / (1 + np.exp(-np.clip(t, -30, 30)))
    offset = np.rint((2 * sigmoid - 0.5) * level.stride * SUBPIXELS)
    limit = spec.size * SUBPIXELS
    size = np.rint(level.base * SUBPIXELS * np.exp(np.minimum(t, 30.0))).clip(1, limit)
    return LevelTables(level, cells, cells, scores.index, boxes.index, offset.astype(np.int16), size.astype(np.int16))


def decode(detector: Detector, outputs: Mapping[str, NDArray[np.int8]]) -> tuple[Detection, ...]:
    """Boxes that survive, best first. Ties go to the lower stride, row, column and class, in this order."""
    candidates = []
    for number, tables in enumerate(detector.levels):
        scores = outputs[tables.level.scores].reshape(tables.rows, tables.cols, -1).astype(int) + 128
        boxes = outputs[tables.level.boxes].reshape(tables.rows, tables.cols, 4).astype(int) + 128
        for row, col in product(range(tables.rows), range(tables.cols)):
            if scores[row, col].max() < detector.score_threshold:
                continue
            x1, y1, x2, y2 = _corners(tables, detector.extent, row, col, boxes[row, col])
            if x1 >= x2 or y1 >= y2:
                continue  # nothing of it lies in the input
            for label, score in enumerate(scores[row, col]):
                if score >= detector.score_threshold:
                    order = (-int(score), number, row, col, label)
                    candidates.append((order, Detection(x1, y1, x2, y2, int(score), label)))
    candidates.sort(key=lambda c: c[0])
    return _suppress([d for _, d in candidates[: detector.max_candidates]], detector.nms_iou_256)


def _corners(tables: LevelTables, extent: int, row: int, col: int, t: NDArray[np.int_]) -> tuple[int, int, int, int]:
    step = tables.level.stride * SUBPIXELS
    w, h = int(tables.size[t[2]]), int(tables.size[t[3]])
    x1 = col * step + int(tables.offset[t[0]]) - w // 2
    y1 = row * step + int(tables.offset[t[1]]) - h // 2
    x2, y2 = x1 + w, y1 + h
    return max(x1, 0), max(y1, 0), min(x2, extent), min(y2, extent)


def _suppress(candidates: list[Detection], nms_iou_256: int) -> tuple[Detection, ...]:
    kept: list[Detection] = []
    for c in candidates:
        if not any(k.label == c.label and overlaps(k, c, nms_iou_256) for k in kept):
            kept.append(c)
    return tuple(kept)


def overlaps(a: Detection, b: Detection, iou_256: int) -> bool:
    """Whether intersection over union is above iou_256 / 256, without a division."""
    w = min(a.x2, b.x2) - max(a.x1, b.x1)
    h = min(a.y2, b.y2) - max(a.y1, b.y1)
    if w <= 0 or h <= 0:
        return False
    inter = w * h
    union = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - inter
    return inter * 256 > iou_256 * union
