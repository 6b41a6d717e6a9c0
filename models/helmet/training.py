"""The loss and the training loop: AdamW, cosine, averaged weights, checkpoints. CPU or GPU."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from augment import BASE, STRIDE, Photo, batches
from definition import build


@dataclass(frozen=True, slots=True)
class Settings:
    seed: int = 1
    epochs: int = 240
    batch: int = 16
    size: int = 192
    rate: float = 2.5e-3
    weight_decay: float = 0.02
    warmup_steps: int = 200
    average: float = 0.998  # of the averaged weights, per step
    mosaic: float = 0.5
    close_up: float = 0.3  # of the rest
    plain_epochs: float = 0.15  # the last part of the epochs goes without mosaic
    threads: int = 2


def decode_boxes(raw: Any) -> Any:
    """[N, S, S, 4] raw to cx, cy, w, h in px."""
    s = raw.shape[1]
    cells = tf.range(s, dtype=tf.float32)
    grid = tf.stack(tf.meshgrid(cells, cells, indexing="xy"), -1)
    centre = (grid + 2.0 * tf.sigmoid(raw[..., :2]) - 0.5) * STRIDE
    return tf.concat([centre, BASE * tf.exp(tf.clip_by_value(raw[..., 2:], -4.0, 3.0))], -1)


def iou_and_giou(a: Any, b: Any) -> tuple[Any, Any]:
    a1, a2 = a[..., :2] - a[..., 2:] / 2, a[..., :2] + a[..., 2:] / 2
    b1, b2 = b[..., :2] - b[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2
    inter = tf.reduce_prod(tf.maximum(tf.minimum(a2, b2) - tf.maximum(a1, b1), 0.0), -1)
    union = tf.reduce_prod(a[..., 2:], -1) + tf.reduce_prod(b[..., 2:], -1) - inter + 1e-6
    hull = tf.reduce_prod(tf.maximum(a2, b2) - tf.minimum(a1, b1), -1) + 1e-6
    iou = inter / union
    return iou, iou - (hull - union) / hull


def loss(scores: Any, raw: Any, classes: Any, boxes: Any) -> tuple[Any, Any]:
    """Varifocal loss (Zhang 2021) on the scores with an IoU-aware target, GIoU and a small L1 on the boxes."""
    positive = tf.cast(classes >= 0, tf.float32)
    iou, giou = iou_and_giou(decode_boxes(raw), boxes)
    quality = tf.stop_gradient(positive * (0.3 + 0.7 * iou))
    target = tf.one_hot(classes, scores.shape[-1]) * quality[..., None]
    p = tf.stop_gradient(tf.sigmoid(scores))
    weight = tf.where(target > 0, target, 0.75 * tf.square(p))
    bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=scores)
    norm = tf.maximum(tf.reduce_sum(quality), 1.0)
    score_loss = tf.reduce_sum(weight * bce) / norm
    log_size = tf.math.log(tf.maximum(boxes[..., 2:], 1.0) / BASE)
    l1 = tf.reduce_sum(tf.abs(raw[..., 2:] - log_size), -1)
    count = tf.maximum(tf.reduce_sum(positive), 1.0)
    box_loss = tf.reduce_sum(positive * (2.0 * (1.0 - giou) + 0.2 * l1)) / count
    # Keeps tx, ty out of the sigmoid's tails: the int8 range of this output is shared by all four numbers.
    tame = 0.002 * tf.reduce_sum(positive[..., None] * tf.square(raw[..., :2])) / count
    return score_loss + box_loss + tame, tf.reduce_sum(positive * iou) / count


def _prefetch(source: Iterator[Any], depth: int = 4) -> Iterator[Any]:
    """Makes the items in a second thread. Pillow lets go of the interpreter while it resizes."""
    items: queue.Queue[Any] = queue.Queue(depth)

    def fill() -> None:
        for item in source:
            items.put(item)
        items.put(None)

    threading.Thread(target=fill, daemon=True).start()
    while (item := items.get()) is not None:
        yield item


def _save(path: Path, epoch: int, groups: dict[str, list[Any]]) -> None:
    arrays = {f"{g}_{i}": np.asarray(v) for g, values in groups.items() for i, v in enumerate(values)}
    part = path.with_suffix(".part.npz")
    np.savez(part, allow_pickle=False, epoch=epoch, **arrays)
    part.replace(path)


def _restore(path: Path, groups: dict[str, list[Any]]) -> int:
    with np.load(path) as data:
        for g, values in groups.items():
            for i, v in enumerate(values):
                v.assign(data[f"{g}_{i}"])
        return int(data["epoch"])


def fit(photos: list[Photo], out_dir: Path, settings: Settings, log: Callable[[str], None]) -> keras.Model:
    """Trains from scratch, or goes on from out_dir/checkpoint.npz, and returns the model with averaged weights."""
    keras.utils.set_random_seed(settings.seed)
    model = build(settings.size)
    steps_per_epoch = len(photos) // settings.batch
    total = steps_per_epoch * settings.epochs
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-5,
        max(1, total - settings.warmup_steps),
        alpha=0.01,
        warmup_target=settings.rate,
        warmup_steps=settings.warmup_steps,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=settings.weight_decay, clipnorm=10.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    live = [v.value for v in model.weights]
    averaged = [tf.Variable(v) for v in live]
    groups = {"model": live, "averaged": averaged, "optimizer": [v.value for v in optimizer.variables]}
    checkpoint = out_dir / "checkpoint.npz"
    first = _restore(checkpoint, groups) if checkpoint.is_file() else 0

    @tf.function  # type: ignore[untyped-decorator]
    def step(images: Any, classes: Any, boxes: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            scores, raw = model(images, training=True)
            value, iou = loss(scores, raw, classes, boxes)
        optimizer.apply_gradients(
            zip(tape.gradient(value, model.trainable_variables), model.trainable_variables, strict=True)
        )
        n = tf.cast(optimizer.iterations, tf.float32)
        keep = tf.minimum(settings.average, (1.0 + n) / (10.0 + n))
        for a, v in zip(averaged, live, strict=True):
            a.assign(keep * a + (1.0 - keep) * v)
        return value, iou

    log(f"seed {settings.seed}, {len(photos)} photos, {settings.epochs} epochs from {first}, {settings}")
    start = time.monotonic()
    for epoch in range(first, settings.epochs):
        mosaic = settings.mosaic if epoch < settings.epochs * (1 - settings.plain_epochs) else 0.0
        source = batches(photos, settings.size, settings.batch, epoch, settings.seed, mosaic, settings.close_up)
        values = [step(*map(tf.constant, item)) for item in _prefetch(source)]
        mean = np.mean([[float(a), float(b)] for a, b in values], axis=0)
        log(f"epoch {epoch + 1}: loss {mean[0]:.3f}, iou {mean[1]:.3f}, {time.monotonic() - start:.0f} s")
        if (epoch + 1) % 5 == 0 or epoch + 1 == settings.epochs:
            _save(checkpoint, epoch + 1, groups)
    for a, v in zip(averaged, live, strict=True):
        v.assign(a)
    return model
