"""Keras to int8 .tflite, with calibration on photos and plain names for the tensors at the edges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from flatbuffers import Builder
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from definition import build

FILE_IDENTIFIER = b"TFL3"


def quantise(model: keras.Model, images: Sequence[NDArray[np.int8]], size: int, classes: int) -> bytes:
    """Post-training int8. `images` are letterboxed inputs (pixel - 128); their range is widened to exactly 0..1."""
    export = build(size, classes, probabilities=True, batch=1)
    for layer in model.layers:
        export.get_layer(layer.name).set_weights(layer.get_weights())

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((1, size, size, 3), tf.float32, name="image")]
    )
    def infer(image: Any) -> dict[str, Any]:
        scores, boxes = export(image, training=False)
        return {"scores_8": scores, "boxes_8": boxes}

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        for image in images:
            x = (image.astype(np.float32) + 128) / np.float32(255)
            x[0, 0], x[0, 1] = 0, 1  # so the input's scale is 1/255 and its zero point -128
            yield [x[None]]

    frozen = convert_variables_to_constants_v2(infer.get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return _rename(converter.convert())


def _rename(tflite: bytes) -> bytes:
    """Names that read well in generated C: image, the layers' names, and boxes_<stride>, scores_<stride> at the end."""
    model = schema.ModelT.InitFromPackedBuf(tflite)
    graph = model.subgraphs[0]
    tensors = graph.tensors
    tensors[graph.inputs[0]].name = b"image"
    size = int(tensors[graph.inputs[0]].shape[1])
    for operator in graph.operators:
        out = tensors[operator.outputs[0]]
        if operator.outputs[0] in graph.outputs:
            kind = b"boxes" if out.shape[3] == 4 else b"scores"
            out.name = b"%s_%d" % (kind, size // int(out.shape[1]))
        else:  # "helmet_1/stem_relu_1/Relu6;..." is layer stem with its normalisation and activation
            out.name = re.sub(rb"(_bn|_relu)?(_1)?$", b"", out.name.split(b"/")[1])
        if len(operator.inputs) == 3:
            for number, role in zip(operator.inputs[1:], (b"weights", b"bias"), strict=True):
                tensors[number].name = out.name + b"_" + role
        elif model.buffers[tensors[operator.inputs[-1]].buffer].data is not None:
            tensors[operator.inputs[-1]].name = out.name + b"_size"
    builder = Builder(1 << 20)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())


class Reference:
    """The model under LiteRT's reference kernels, which Tessera matches bit for bit."""

    def __init__(self, path: Path) -> None:
        self._run = Interpreter(str(path), num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
        self._run.allocate_tensors()

    def __call__(self, image: NDArray[np.int8]) -> dict[str, NDArray[np.int8]]:
        self._run.set_tensor(self._run.get_input_details()[0]["index"], image[None])
        self._run.invoke()
        return {d["name"]: self._run.get_tensor(d["index"]) for d in self._run.get_output_details()}
