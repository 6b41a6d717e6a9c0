"""The C decoder and its tables, as generated, against the numpy twin: same boxes, same order, all numbers equal."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tessera.detect.codegen import render
from tessera.detect.decode import Detection, Detector, decode, make_detector
from tessera.detect.spec import DetectSpec, Level, OutputTensor

HERE = Path(__file__).parent
LIBRARY = HERE.parents[2] / "firmware" / "lib" / "detect"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Werror"]

Outputs = dict[str, NDArray[np.int8]]

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


@dataclass(frozen=True, slots=True)
class Shape:
    """A detector to try: strides, base as a multiple of the stride, scale and zero point of the boxes."""

    strides: tuple[int, ...]
    classes: int
    candidates: int
    threshold: float
    iou: float
    base: float
    scale: float
    zero_point: int


SHAPES = [
    Shape((8,), 2, 64, 0.3, 0.5, 2.0, 0.028, 0),  # like models/helmet
    Shape((8, 16), 2, 8, 0.004, 0.45, 3.0, 0.05, -17),
    Shape((8, 16, 32), 3, 1, 0.5, 0.0, 1.0, 0.2, 127),
    Shape((16,), 1, 256, 0.0, 1.0, 0.02, 3.0, -128),  # sizes saturate at both ends, many boxes are outside
]


@dataclass(frozen=True, slots=True)
class Pair:
    detector: Detector
    program: Path

    def in_c(self, images: list[Outputs]) -> list[tuple[Detection, ...]]:
        data = b"".join(
            image[name].tobytes()
            for image in images
            for tables in self.detector.levels
            for name in (tables.level.scores, tables.level.boxes)
        )
        run = subprocess.run([self.program, str(len(images))], input=data, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr.decode()
        found: list[list[Detection]] = [[]]
        for line in run.stdout.decode().splitlines():
            if line:
                found[-1].append(Detection(*map(int, line.split())))
            else:
                found.append([])
        return [tuple(boxes) for boxes in found[:-1]]

    def check(self, images: list[Outputs]) -> None:
        assert self.in_c(images) == [decode(self.detector, image) for image in images]


@pytest.fixture(scope="module", params=SHAPES, ids=lambda s: f"{'-'.join(map(str, s.strides))}x{s.classes}")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    shape: Shape = request.param
    spec = DetectSpec(
        size=64,
        classes=tuple(f"c{i}" for i in range(shape.classes)),
        levels=tuple(Level(s, shape.base * s, f"scores_{s}", f"boxes_{s}") for s in shape.strides),
        score_threshold=shape.threshold,
        nms_iou=shape.iou,
        max_candidates=shape.candidates,
    )
    outputs: dict[str, OutputTensor] = {}
    for level in spec.levels:
        n, i = spec.size // level.stride, len(outputs)
        outputs[level.scores] = OutputTensor(level.scores, i, (1, n, n, shape.classes), 1 / 256, -128)
        outputs[level.boxes] = OutputTensor(level.boxes, i + 1, (1, n, n, 4), shape.scale, shape.zero_point)
    detector = make_detector(spec, outputs)
    folder = tmp_path_factory.mktemp("detect")
    for name, text in render("toy", "toy.tflite", "0" * 64, detector, outputs).files.items():
        (folder / name).write_text(text)
    program = folder / "decode"
    sources = [LIBRARY / "detect.c", folder / "toy_detect.c", HERE / "decode_stdin.c"]
    sanitize = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    include = ["-I", str(LIBRARY / "include"), "-I", str(folder)]
    subprocess.run(["gcc", *WARNINGS, *sanitize, *include, *map(str, sources), "-o", str(program)], check=True)
    return Pair(detector, program)


def image(detector: Detector, rng: np.random.Generator, scores: list[int], boxes: list[int]) -> Outputs:
    """Outputs whose values are drawn from these two lists."""
    outputs = {}
    for tables in detector.levels:
        cells = (1, tables.rows, tables.cols)
        outputs[tables.level.scores] = rng.choice(scores, (*cells, len(detector.classes))).astype(np.int8)
        outputs[tables.level.boxes] = rng.choice(boxes, (*cells, 4)).astype(np.int8)
    return outputs


EVERY = list(range(-128, 128))


def test_random_outputs(pair: Pair) -> None:
    rng = np.random.default_rng(1)
    pair.check([image(pair.detector, rng, EVERY, EVERY) for _ in range(20)])


def test_typical_outputs_few_candidates_and_small_boxes(pair: Pair) -> None:
    rng = np.random.default_rng(2)
    pair.check([image(pair.detector, rng, [-128] * 30 + EVERY[100:], EVERY[96:160]) for _ in range(20)])


def test_all_scores_equal(pair: Pair) -> None:
    rng = np.random.default_rng(3)
    pair.check([image(pair.detector, rng, [score], EVERY) for score in (-128, -127, 0, 127)])


def test_all_boxes_equal_and_extreme(pair: Pair) -> None:
    rng = np.random.default_rng(4)
    pair.check([image(pair.detector, rng, EVERY, [t]) for t in (-128, -127, 0, 126, 127)])


def test_extreme_values_only(pair: Pair) -> None:
    rng = np.random.default_rng(5)
    pair.check([image(pair.detector, rng, [-128, 126, 127], [-128, -127, 126, 127]) for _ in range(10)])


def test_scores_around_the_threshold(pair: Pair) -> None:
    rng = np.random.default_rng(6)
    q = pair.detector.score_threshold - 128
    pair.check([image(pair.detector, rng, [max(-128, q - 1), q, min(127, q + 1)], EVERY) for _ in range(10)])


def test_scores_that_rise_all_along_push_out_the_first(pair: Pair) -> None:
    outputs = image(pair.detector, np.random.default_rng(7), [0], EVERY)
    for name in outputs:
        if name.startswith("scores"):
            rising = np.linspace(-128, 127, outputs[name].size).astype(np.int8)
            outputs[name] = rising.reshape(outputs[name].shape)
    pair.check([outputs, {n: v[:, ::-1, ::-1] for n, v in outputs.items()}])


VALUES = st.lists(st.integers(-128, 127), min_size=1, max_size=6)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), VALUES, VALUES)
def test_any_outputs(pair: Pair, seed: int, scores: list[int], boxes: list[int]) -> None:
    pair.check([image(pair.detector, np.random.default_rng(seed), scores, boxes)])


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="needs arm-none-eabi-gcc")
def test_it_compiles_for_the_boards_without_a_word(tmp_path: Path) -> None:
    line = ["arm-none-eabi-gcc", "-mcpu=cortex-m7", "-mthumb", "-O2", *WARNINGS, "-I", str(LIBRARY / "include"), "-c"]
    subprocess.run([*line, str(LIBRARY / "detect.c"), "-o", str(tmp_path / "detect.o")], check=True)
