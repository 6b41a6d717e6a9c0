"""The detection demo's report: one self-contained HTML page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader


@dataclass(frozen=True, slots=True)
class Box:
    """A detection in the photo's pixels; score in 0..1."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Picture:
    """One photo and what the device found in it. `count` is in the device's unit."""

    name: str
    annotated: Path
    boxes: tuple[Box, ...]
    count: int


def detect_html(facts: dict[str, Any], pictures: list[Picture], steps: list[dict[str, Any]], memory_svg: str) -> str:
    """facts: what `run` reports; steps: name, kind, count and macs of every step; memory_svg: the memory map."""
    jinja = Environment(
        loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True, lstrip_blocks=True, autoescape=True
    )
    jinja.filters["data_uri"] = lambda path: "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    largest = max((s["count"] for s in steps), default=1)
    return jinja.get_template("detect.html.jinja2").render(
        facts=facts, pictures=pictures, steps=steps, largest=max(largest, 1), memory_svg=memory_svg
    )
