"""Writes a detector's constants as C: tables from the .tflite's output scales, the rest from model.toml."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from tessera.detect.decode import SUBPIXELS, Detector, LevelTables, make_detector
from tessera.detect.spec import OutputTensor, read_outputs, read_spec
from tessera.errors import BadInput

NUMBERS_A_LINE = 16


@dataclass(frozen=True, slots=True)
class DetectSources:
    """<name>_detect.h and <name>_detect.c, and the header through which an application finds them."""

    name: str
    header: str
    source: str
    config: str

    @property
    def files(self) -> dict[str, str]:
        return {
            f"{self.name}_detect.h": self.header,
            f"{self.name}_detect.c": self.source,
            "tess_detector_config.h": self.config,
        }


def generate_detect(model_toml: Path) -> DetectSources:
    """The same model.toml and .tflite give the same bytes."""
    card = tomllib.loads(model_toml.read_text())
    tflite = (model_toml.parent / card["tflite"]).read_bytes()
    outputs = read_outputs(tflite)
    detector = make_detector(read_spec(card), outputs)
    return render(card["name"], card["tflite"], hashlib.sha256(tflite).hexdigest(), detector, outputs)


def render(
    name: str, tflite: str, sha256: str, detector: Detector, outputs: Mapping[str, OutputTensor]
) -> DetectSources:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise BadInput(f"model.toml: the name {name} is no C identifier")
    jinja = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # C, not HTML
    )
    jinja.filters["c_string"] = lambda text: json.dumps(text)
    values = {
        "name": name,
        "upper": name.upper(),
        "guard": f"{name.upper()}_DETECT_H",
        "tflite": tflite,
        "sha256": sha256,
        "detector": detector,
        "size": detector.extent // SUBPIXELS,
        "subpixels": SUBPIXELS,
        "levels": [_level(tables, outputs) for tables in detector.levels],
    }
    files = ("detect.h.jinja2", "detect.c.jinja2", "detector_config.h.jinja2")
    return DetectSources(name, *(jinja.get_template(file).render(values) for file in files))


def _level(tables: LevelTables, outputs: Mapping[str, OutputTensor]) -> dict[str, object]:
    level, boxes = tables.level, outputs[tables.level.boxes]
    cells = f"{tables.rows}x{tables.cols}"
    row = (
        f"{level.stride:<6}  {cells:<5}  {level.base:<7g}  {level.scores:<17}  {level.boxes:<18}  "
        f"{boxes.scale:<14.9g}  {boxes.zero_point}"
    )
    return {
        "row": row,
        "stride": level.stride,
        "tables": tables,
        "offset": _lines(tables.offset),
        "size": _lines(tables.size),
    }


def _lines(table: NDArray[np.int16]) -> list[str]:
    rows = table.reshape(-1, NUMBERS_A_LINE).tolist()
    return [", ".join(map(str, row)) + "," for row in rows]
