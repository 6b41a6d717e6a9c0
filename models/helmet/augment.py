"""Training samples for the helmet detector: photos kept in RAM, strong cheap augmentation, label assignment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREY = 114
STRIDE = 8
BASE = 16.0  # px: the median head is 13 px at 192x192; ln(w / 16) stays in -2.1..1.8


@dataclass(frozen=True, slots=True)
class Photo:
    """An RGB photo [h, w, 3] and its boxes [n, 5]: x1, y1, x2, y2, class in photo pixels."""

    name: str
    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Targets:
    """Per cell: class of the object (-1 none) [S, S] and its box cx, cy, w, h in px [S, S, 4]."""

    classes: NDArray[np.int32]
    boxes: NDArray[np.float32]


def load_split(data_dir: Path, split: str) -> list[Photo]:
    listing = json.loads((data_dir / f"{split}.json").read_text())
    photos = []
    for entry in listing["images"]:
        path = next(p for p in (data_dir / entry["file"], data_dir / split / entry["file"]) if p.is_file())
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        photos.append(Photo(path.name, pixels, np.asarray(entry["boxes"], np.float32).reshape(-1, 5)))
    return photos


def _paste(canvas: Image.Image, photo: Photo, scale_x: float, scale_y: float, left: float, top: float,
           window: tuple[int, int, int, int]) -> NDArray[np.float32]:  # fmt: skip
    """Draws the photo, scaled, with its corner at (left, top), inside `window` of the canvas; returns visible boxes."""
    x1, y1, x2, y2 = window
    h, w = photo.pixels.shape[:2]
    a, b = max(x1, round(left)), max(y1, round(top))
    c, d = min(x2, round(left + w * scale_x)), min(y2, round(top + h * scale_y))
    if c - a < 8 or d - b < 8:
        return np.zeros((0, 5), np.float32)
    source = (
        max(0.0, (a - left) / scale_x),
        max(0.0, (b - top) / scale_y),
        min(float(w), (c - left) / scale_x),
        min(float(h), (d - top) / scale_y),
    )
    part = Image.fromarray(photo.pixels).resize((c - a, d - b), Image.Resampling.BILINEAR, box=source)
    canvas.paste(part, (a, b))
    boxes = photo.boxes * np.asarray([scale_x, scale_y, scale_x, scale_y, 1], np.float32)
    boxes = boxes + np.asarray([left, top, left, top, 0], np.float32)
    clipped = boxes.copy()
    clipped[:, [0, 2]] = boxes[:, [0, 2]].clip(a, c)
    clipped[:, [1, 3]] = boxes[:, [1, 3]].clip(b, d)
    size = (clipped[:, 2:4] - clipped[:, :2]).clip(0)
    whole = (boxes[:, 2:4] - boxes[:, :2]).prod(1)
    visible: NDArray[np.float32] = clipped[(size.prod(1) > 0.4 * whole) & (size.min(1) >= 2)]
    return visible


def _single(photo: Photo, size: int, rng: np.random.Generator) -> tuple[Image.Image, NDArray[np.float32]]:
    h, w = photo.pixels.shape[:2]
    scale = size / max(h, w) * float(np.exp(rng.uniform(np.log(0.75), np.log(1.8))))
    aspect = float(np.exp(rng.uniform(-0.15, 0.15)))
    sx, sy = scale * aspect, scale / aspect
    slack_x, slack_y = size - w * sx, size - h * sy
    left = slack_x * rng.uniform() + rng.uniform(-0.1, 0.1) * size
    top = slack_y * rng.uniform() + rng.uniform(-0.1, 0.1) * size
    canvas = Image.new("RGB", (size, size), (GREY, GREY, GREY))
    return canvas, _paste(canvas, photo, sx, sy, left, top, (0, 0, size, size))


def _close_up(photo: Photo, size: int, rng: np.random.Generator) -> tuple[Image.Image, NDArray[np.float32]]:
    """One of the photo's heads at 30..110 px, somewhere in the image: the data has few portraits."""
    h, w = photo.pixels.shape[:2]
    x1, y1, x2, y2, _ = photo.boxes[rng.integers(len(photo.boxes))]
    whole = size / max(h, w)
    scale = min(4 * whole, max(0.75 * whole, rng.uniform(30, 110) / max(float(y2 - y1), 1.0)))
    x, y = rng.uniform(0.25 * size, 0.75 * size, 2)
    left, top = x - (x1 + x2) / 2 * scale, y - (y1 + y2) / 2 * scale
    canvas = Image.new("RGB", (size, size), (GREY, GREY, GREY))
    return canvas, _paste(canvas, photo, scale, scale, float(left), float(top), (0, 0, size, size))


def _mosaic(photos: list[Photo], size: int, rng: np.random.Generator) -> tuple[Image.Image, NDArray[np.float32]]:
    """Four photos around a random point, each at 0.6..1.3 of its letterbox scale."""
    canvas = Image.new("RGB", (size, size), (GREY, GREY, GREY))
    mx, my = (int(v) for v in rng.uniform(0.3 * size, 0.7 * size, 2))
    windows = ((0, 0, mx, my), (mx, 0, size, my), (0, my, mx, size), (mx, my, size, size))
    found = []
    for photo, window in zip(photos, windows, strict=True):
        h, w = photo.pixels.shape[:2]
        scale = size / max(h, w) * float(np.exp(rng.uniform(np.log(0.6), np.log(1.3))))
        scale = max(scale, (window[2] - window[0]) / w * 0.8, (window[3] - window[1]) / h * 0.8)
        left = window[0] + (window[2] - window[0] - w * scale) * rng.uniform()
        top = window[1] + (window[3] - window[1] - h * scale) * rng.uniform()
        found.append(_paste(canvas, photo, scale, scale, left, top, window))
    return canvas, np.concatenate(found)


def _colour(x: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Random gamma, contrast, saturation, channel gains and noise; uint8 to float 0..1."""
    y = x.astype(np.float32) / np.float32(255)
    if rng.uniform() < 0.8:
        y = y ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
        grey = y.mean(axis=2, keepdims=True)
        saturation = 0.0 if rng.uniform() < 0.05 else rng.uniform(0.5, 1.6)
        y = grey + np.float32(saturation) * (y - grey)
        y = y * rng.uniform(0.85, 1.15, 3).astype(np.float32)
        y = (y - 0.5) * np.float32(rng.uniform(0.7, 1.3)) + 0.5
    if rng.uniform() < 0.2:
        y = y + rng.normal(0, rng.uniform(0, 0.04), y.shape).astype(np.float32)
    return y.clip(0, 1)


def sample(
    photos: list[Photo], index: int, size: int, mosaic: float, close_up: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One augmented image [size, size, 3] in 0..1 and its boxes [n, 5] in px.

    `mosaic` is the share of mosaics, `close_up` that of close-ups among the others.
    """
    if rng.uniform() < mosaic:
        others = rng.integers(0, len(photos), 3)
        canvas, boxes = _mosaic([photos[index], *(photos[i] for i in others)], size, rng)
    elif close_up and len(photos[index].boxes) and rng.uniform() < close_up:
        canvas, boxes = _close_up(photos[index], size, rng)
    else:
        canvas, boxes = _single(photos[index], size, rng)
    pixels = np.asarray(canvas)
    if rng.uniform() < 0.5:
        pixels = pixels[:, ::-1]
        boxes = boxes.copy()
        boxes[:, [0, 2]] = size - boxes[:, [2, 0]]
    return _colour(pixels, rng), boxes


def assign(boxes: NDArray[np.float32], size: int) -> Targets:
    """Cells whose centre is less than one cell from a box centre in x and y (up to 2x2) are positive.

    That is the reach of the offset 2 * sigmoid(t) - 0.5. Where boxes compete for a cell, the nearest centre wins.
    """
    s = size // STRIDE
    classes = np.full((s, s), -1, np.int32)
    target = np.zeros((s, s, 4), np.float32)
    best = np.full((s, s), np.inf)
    for x1, y1, x2, y2, cls in boxes:
        cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
        u, v = cx / STRIDE - 0.5, cy / STRIDE - 0.5
        for row in range(max(0, int(np.ceil(v - 0.95))), min(s - 1, int(np.floor(v + 0.95))) + 1):
            for col in range(max(0, int(np.ceil(u - 0.95))), min(s - 1, int(np.floor(u + 0.95))) + 1):
                distance = (row - v) ** 2 + (col - u) ** 2
                if distance < best[row, col]:
                    best[row, col] = distance
                    classes[row, col] = int(cls)
                    target[row, col] = (cx, cy, x2 - x1, y2 - y1)
    return Targets(classes, target)


def batches(
    photos: list[Photo], size: int, batch: int, epoch: int, seed: int, mosaic: float, close_up: float
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]]:
    """Images, classes and boxes of one epoch; a function of (seed, epoch) alone, so a resumed run sees the same."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(photos))
    for first in range(0, len(order) - batch + 1, batch):
        images, classes, boxes = [], [], []
        for index in order[first : first + batch]:
            image, found = sample(photos, int(index), size, mosaic, close_up, rng)
            targets = assign(found, size)
            images.append(image)
            classes.append(targets.classes)
            boxes.append(targets.boxes)
        yield np.stack(images), np.stack(classes), np.stack(boxes)
