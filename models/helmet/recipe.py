"""Trains, quantises and evaluates the helmet detector: `./inv train --model helmet --data FOLDER`.

Goes on from a checkpoint in --out when it was interrupted. README.md says what the data folder holds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from augment import BASE, STRIDE, Photo, load_split
from definition import build, macs
from quantise import Reference, quantise
from tessera.detect.decode import SUBPIXELS, decode, make_detector
from tessera.detect.evaluate import Evaluation, Scored, Truth, evaluate, iou, precision_recall
from tessera.detect.letterbox import Letterbox, letterbox
from tessera.detect.spec import DetectSpec, read_outputs, read_spec
from training import Settings, fit

SPEC = read_spec(tomllib.loads(Path(__file__).with_name("model.toml").read_text()))
CLASSES = SPEC.classes
DEFAULT_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "heads_shwd"
CALIBRATION_PHOTOS = 128
assert [(v.stride, v.base) for v in SPEC.levels] == [(STRIDE, BASE)], "model.toml and augment.py differ"


def evaluation_spec() -> DetectSpec:
    """model.toml's, with a low threshold and a long list, so that the whole precision-recall curve counts."""
    return replace(SPEC, score_threshold=2 / 256, max_candidates=256)


def truth(photo: Photo) -> list[Truth]:
    return [Truth(x1, y1, x2, y2, int(label)) for x1, y1, x2, y2, label in photo.boxes.tolist()]


def to_photo(found: list[Scored], box: Letterbox) -> list[Scored]:
    """From px of the input to px of the photo."""
    return [Scored(*box.to_photo(d.x1, d.y1), *box.to_photo(d.x2, d.y2), d.label, d.score) for d in found]


def evaluate_float(model: keras.Model, photos: list[Photo], size: int) -> Evaluation:
    """The float model with the same rules as on the device, but nothing rounded."""
    found = []
    for photo in photos:
        image, box = letterbox(Image.fromarray(photo.pixels), size)
        scores, raw = model((image[None].astype(np.float32) + 128) / 255, training=False)
        found.append(to_photo(decode_float(np.asarray(scores)[0], np.asarray(raw)[0], size), box))
    return evaluate(found, [truth(p) for p in photos], len(CLASSES))


def decode_float(logits: NDArray[np.float32], raw: NDArray[np.float32], size: int) -> list[Scored]:
    cells = size // STRIDE
    grid = np.stack(np.meshgrid(np.arange(cells), np.arange(cells), indexing="xy"), -1)
    centre = (grid + 2 / (1 + np.exp(-raw[..., :2])) - 0.5) * STRIDE
    half = BASE * np.exp(raw[..., 2:]) / 2
    corners = np.concatenate([centre - half, centre + half], -1).clip(0, size)
    kept: list[Scored] = []
    for index in np.argsort(-logits, axis=None, kind="stable")[:256]:
        row, col, label = (int(i) for i in np.unravel_index(index, logits.shape))
        x1, y1, x2, y2 = corners[row, col].tolist()
        candidate = Scored(x1, y1, x2, y2, label, float(logits[row, col, label]))
        if not any(k.label == label and iou(k, candidate) > SPEC.nms_iou for k in kept):
            kept.append(candidate)
    return kept


def detect_int8(tflite: Path, photos: list[Photo], size: int) -> list[list[Scored]]:
    """What the file finds as it runs on the device: reference kernels, integer decoder."""
    detector = make_detector(evaluation_spec(), read_outputs(tflite.read_bytes()))
    run = Reference(tflite)
    found = []
    for photo in photos:
        image, box = letterbox(Image.fromarray(photo.pixels), size)
        in_input = [
            Scored(d.x1 / SUBPIXELS, d.y1 / SUBPIXELS, d.x2 / SUBPIXELS, d.y2 / SUBPIXELS, d.label, d.score / 256)
            for d in decode(detector, run(image))
        ]
        found.append(to_photo(in_input, box))
    return found


def train(data_dir: Path, out_dir: Path, seed: int, epochs: int, threads: int = 2, batch: int = 16) -> dict[str, Any]:
    """The whole recipe; writes helmet.tflite, averaged.weights.h5 and metrics.json to out_dir; returns the metrics."""
    out_dir.mkdir(parents=True, exist_ok=True)
    settings = Settings(seed=seed, epochs=epochs, threads=threads, batch=batch)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    training, test = load_split(data_dir, "train"), load_split(data_dir, "test")
    model = fit(training, out_dir, settings, log)
    model.save_weights(out_dir / "averaged.weights.h5")
    return finish(model, training, test, out_dir, settings)


def finish(
    model: keras.Model, training: list[Photo], test: list[Photo], out_dir: Path, settings: Settings
) -> dict[str, Any]:
    """Quantises and evaluates a trained model."""
    chosen = np.random.default_rng(settings.seed).permutation(len(training))[:CALIBRATION_PHOTOS]
    images = [letterbox(Image.fromarray(training[int(i)].pixels), settings.size)[0] for i in chosen]
    path = out_dir / "helmet.tflite"
    path.write_bytes(quantise(model, images, settings.size, len(CLASSES)))
    as_float = evaluate_float(model, test, settings.size)
    found, wanted = detect_int8(path, test, settings.size), [truth(p) for p in test]
    as_int8 = evaluate(found, wanted, len(CLASSES))
    metrics = {
        "settings": asdict(settings),
        "classes": CLASSES,
        "float": asdict(as_float),
        "int8": asdict(as_int8),
        "int8_precision_recall": {
            name: precision_recall(found, wanted, label, SPEC.score_threshold) for label, name in enumerate(CLASSES)
        },
        "macs": macs(build(settings.size)),
        "tflite_bytes": path.stat().st_size,
        "outputs": {name: asdict(tensor) for name, tensor in read_outputs(path.read_bytes()).items()},
    }
    (out_dir / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    log(f"mAP@0.5 float {as_float.mean:.3f}, int8 {as_int8.mean:.3f}; written to {path.name}")
    return metrics


def log(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="default: ../shared/data/heads_shwd beside the repository")
    parser.add_argument("--out", type=Path, default=Path("build/train"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=Settings().epochs)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    data = Path(options.data) if options.data else DEFAULT_DATA
    if not (data / "train.json").is_file():
        sys.exit(f"--data {options.data}: no train.json there; models/helmet/README.md says what the folder holds")
    train(data, options.out, options.seed, options.epochs, options.threads)


if __name__ == "__main__":
    main()
