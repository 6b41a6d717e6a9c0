"""What a detector's model.toml says about its outputs, and what its .tflite says about their quantisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema  # type: ignore[import-untyped]

from tessera.errors import BadInput


@dataclass(frozen=True, slots=True)
class Level:
    """One grid of cells. `base` is the box size in px for t = 0; `scores` and `boxes` name output tensors."""

    stride: int
    base: float
    scores: str
    boxes: str


@dataclass(frozen=True, slots=True)
class DetectSpec:
    """How a detector's outputs are read. Levels are in order of stride."""

    size: int  # of the square input, in px
    classes: tuple[str, ...]
    levels: tuple[Level, ...]
    score_threshold: float  # 0..1; a candidate's score is at least this
    nms_iou: float  # 0..1; of two boxes of a class that overlap by more, the better stays
    max_candidates: int  # best ones that go into non-maximum suppression


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """An int8 output of the .tflite: real = scale * (q - zero_point). `index` counts the model's outputs."""

    name: str
    index: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int


def read_spec(card: Mapping[str, Any]) -> DetectSpec:
    """From a parsed model.toml with task = "detect"."""
    if card.get("task") != "detect":
        raise BadInput(f'model.toml: task is {card.get("task")!r}, a detector has task = "detect"')
    try:
        detect = card["detect"]
        levels = [Level(int(v["stride"]), float(v["base"]), v["scores"], v["boxes"]) for v in detect["levels"]]
        return DetectSpec(
            size=int(card["input"]["size"]),
            classes=tuple(card["classes"]),
            levels=tuple(sorted(levels, key=lambda v: v.stride)),
            score_threshold=float(detect["score_threshold"]),
            nms_iou=float(detect["nms_iou"]),
            max_candidates=int(detect["max_candidates"]),
        )
    except KeyError as missing:
        raise BadInput(f"model.toml: a detector needs {missing}; models/helmet/model.toml has an example") from None


def read_outputs(tflite: bytes) -> dict[str, OutputTensor]:
    """The int8 outputs of the model's first subgraph, by name."""
    graph = schema.ModelT.InitFromPackedBuf(tflite).subgraphs[0]
    outputs = {}
    for index, number in enumerate(graph.outputs):
        tensor = graph.tensors[number]
        name = tensor.name.decode()
        if tensor.type != schema.TensorType.INT8:
            raise BadInput(f"output {name}: not int8; a detector's outputs are int8")
        quant = tensor.quantization
        shape = tuple(int(n) for n in tensor.shape)
        outputs[name] = OutputTensor(name, index, shape, float(quant.scale[0]), int(quant.zeroPoint[0]))
    return outputs
