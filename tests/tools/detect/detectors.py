"""Small detectors for the tests."""

from __future__ import annotations

from tessera.detect.decode import Detector, make_detector
from tessera.detect.spec import DetectSpec, Level, OutputTensor


def output(name: str, index: int, cells: int, channels: int, scale: float, zero_point: int) -> OutputTensor:
    return OutputTensor(name, index, (1, cells, cells, channels), scale, zero_point)


def small_spec(strides: tuple[int, ...] = (8,), classes: int = 2, candidates: int = 8) -> DetectSpec:
    return DetectSpec(
        size=32,
        classes=tuple(f"class {i}" for i in range(classes)),
        levels=tuple(Level(s, 2.0 * s, f"scores_{s}", f"boxes_{s}") for s in strides),
        score_threshold=0.25,
        nms_iou=0.5,
        max_candidates=candidates,
    )


def small_outputs(spec: DetectSpec, scale: float = 0.03, zero_point: int = 3) -> dict[str, OutputTensor]:
    outputs: list[OutputTensor] = []
    for level in spec.levels:
        cells = spec.size // level.stride
        outputs.append(output(level.boxes, len(outputs), cells, 4, scale, zero_point))
        outputs.append(output(level.scores, len(outputs), cells, len(spec.classes), 1 / 256, -128))
    return {tensor.name: tensor for tensor in outputs}


def small_detector(strides: tuple[int, ...] = (8,), classes: int = 2, candidates: int = 8) -> Detector:
    spec = small_spec(strides, classes, candidates)
    return make_detector(spec, small_outputs(spec))
