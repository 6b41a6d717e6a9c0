"""Mean average precision at IoU 0.5: all-point interpolation, as in Pascal VOC since 2010, without its "difficult"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Truth:
    """Corners in the photo's px."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A detection: corners in the photo's px, any monotonic score."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: int
    score: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Average precision of each class (nan where there is no truth), and their mean over classes that have truth."""

    per_class: tuple[float, ...]
    mean: float


def iou(a: Truth | Scored, b: Truth | Scored) -> float:
    w = min(a.x2, b.x2) - max(a.x1, b.x1)
    h = min(a.y2, b.y2) - max(a.y1, b.y1)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - w * h)


def evaluate(
    found: Sequence[Sequence[Scored]], truth: Sequence[Sequence[Truth]], classes: int, threshold: float = 0.5
) -> Evaluation:
    """One sequence an image in both; `threshold` is the least IoU of a hit."""
    per_class = tuple(average_precision(found, truth, label, threshold) for label in range(classes))
    known = [ap for ap in per_class if not np.isnan(ap)]
    return Evaluation(per_class, float(np.mean(known)) if known else float("nan"))


def average_precision(
    found: Sequence[Sequence[Scored]], truth: Sequence[Sequence[Truth]], label: int, threshold: float = 0.5
) -> float:
    """Area under the precision envelope; nan without truth."""
    ranking = _rank(found, truth, label, threshold)
    if not ranking.total:
        return float("nan")
    precision = np.cumsum(ranking.hits) / np.arange(1, len(ranking.hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(envelope * ranking.hits) / ranking.total)


def precision_recall(
    found: Sequence[Sequence[Scored]],
    truth: Sequence[Sequence[Truth]],
    label: int,
    least_score: float,
    threshold: float = 0.5,
) -> tuple[float, float]:
    """Of the detections of at least this score: the share that are right, and the share of the truth they find."""
    ranking = _rank(found, truth, label, threshold)
    hits = ranking.hits[ranking.scores >= least_score]
    return float(hits.sum() / max(1, len(hits))), float(hits.sum() / max(1, ranking.total))


@dataclass(frozen=True, slots=True)
class _Ranking:
    """A class's detections, best first: score and 1 for a hit, 0 for a miss; and how many there are to find."""

    scores: NDArray[np.float64]
    hits: NDArray[np.float64]
    total: int


def _rank(
    found: Sequence[Sequence[Scored]], truth: Sequence[Sequence[Truth]], label: int, threshold: float
) -> _Ranking:
    """A detection claims the truth it overlaps most, or misses if a better one has claimed that."""
    wanted = [[t for t in image if t.label == label] for image in truth]
    ranked = [(d, i) for i, image in enumerate(found) for d in image if d.label == label]
    ranked.sort(key=lambda pair: -pair[0].score)
    claimed: set[tuple[int, int]] = set()
    hits = np.zeros(len(ranked), dtype=np.float64)
    for n, (detection, i) in enumerate(ranked):
        overlap, best = max(((iou(detection, t), k) for k, t in enumerate(wanted[i])), default=(0.0, -1))
        if overlap >= threshold and (i, best) not in claimed:
            claimed.add((i, best))
            hits[n] = 1
    return _Ranking(np.array([d.score for d, _ in ranked], dtype=np.float64), hits, sum(map(len, wanted)))
