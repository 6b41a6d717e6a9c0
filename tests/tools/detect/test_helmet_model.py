"""models/helmet as shipped: its file keeps the contract of model.toml, and it sees what is in the drawn scenes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType  # type: ignore[import-untyped]
from PIL import Image

from tessera.detect.decode import decode, make_detector
from tessera.detect.letterbox import letterbox
from tessera.detect.spec import read_outputs, read_spec

MODEL = Path(__file__).resolve().parents[3] / "models" / "helmet"
CARD = tomllib.loads((MODEL / "model.toml").read_text())


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    run = Interpreter(str(MODEL / CARD["tflite"]), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    run.allocate_tensors()
    return run


def test_the_input_is_pixel_minus_128(interpreter: Interpreter) -> None:
    (tensor,) = interpreter.get_input_details()
    assert tensor["name"] == CARD["input"]["tensor"]
    assert tensor["shape"].tolist() == [1, CARD["input"]["size"], CARD["input"]["size"], 3]
    scale, zero_point = tensor["quantization"]
    assert scale == pytest.approx(1 / 255)
    assert CARD["input"]["scale"] == pytest.approx(1 / 255)
    assert zero_point == CARD["input"]["zero_point"] == -128


def test_it_finds_most_of_the_drawn_workers(interpreter: Interpreter) -> None:
    spec = read_spec(CARD)
    detector = make_detector(spec, read_outputs((MODEL / CARD["tflite"]).read_bytes()))
    pixels, _ = letterbox(Image.open(MODEL / "photos" / "site_crew.jpg"), spec.size)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[np.newaxis])
    interpreter.invoke()
    outputs = {d["name"]: interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()}
    assert len(decode(detector, outputs)) >= 3
