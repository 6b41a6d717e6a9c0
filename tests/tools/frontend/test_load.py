"""What a good file becomes."""

from pathlib import Path

import numpy as np
import pytest

from single_op import Spec, draw_case, ints, model_of, options, single_op
from tessera.errors import BadInput, UnsupportedModel
from tessera.frontend.supported import SUPPORTED, operator_table
from tessera.frontend.tflite import load_tflite
from tessera.interpreter import run
from tessera.ir.attrs import Conv2D, DepthwiseConv2D, Lookup, Reshape
from tessera.ir.graph import DType
from tessera.oracle.compare import differences, expected_tensors


def image(*shape: int) -> Spec:
    return Spec(shape, np.int8, 0.1, -3)


def conv(x: Spec, weights: tuple[int, ...] = (4, 3, 3, 2), **fields: int) -> bytes:
    w = Spec(weights, np.int8, [0.01] * weights[0], 0, np.ones(weights), 0)
    b = Spec((weights[0],), np.int32, 0.001, 0, np.zeros(weights[0]))
    option = options("Conv2D", **{"strideH": 1, "strideW": 1, "padding": 0, **fields})
    return single_op("CONV_2D", [x, w, b], [Spec((), np.int8, 0.2, 5)], option, 3)


def test_same_padding_becomes_numbers() -> None:
    graph = load_tflite(conv(image(1, 8, 7, 2), strideH=2, strideW=2), name="net")
    attrs = graph.ops[0].attrs
    assert isinstance(attrs, Conv2D)
    assert attrs.padding == (0, 1, 1, 1)
    assert graph.tensors[graph.outputs[0]].shape == (1, 4, 4, 4)
    assert graph.name == "net"
    assert len(graph.source_sha256) == 64


def test_fused_activation_becomes_a_clamp() -> None:
    graph = load_tflite(conv(image(1, 8, 8, 2), fusedActivationFunction=3))
    assert graph.ops[0].attrs.clamp == (5, 35)


def test_relu_becomes_a_table() -> None:
    graph = load_tflite(single_op("RELU", [image(1, 4)], [Spec((), np.int8, 0.1, -3)]))
    attrs = graph.ops[0].attrs
    assert isinstance(attrs, Lookup)
    assert attrs.table.view(np.int8)[np.array([-128, -3, 0, 127]).astype(np.int8).view(np.uint8)].tolist() == [
        -3,
        -3,
        0,
        127,
    ]


def test_bias_with_a_wrong_quantized_dimension_is_accepted() -> None:
    x = image(1, 5, 5, 2)
    w = Spec((1, 3, 3, 2), np.int8, [0.01, 0.02], 0, np.ones((1, 3, 3, 2)), 3)
    b = Spec((2,), np.int32, [0.001, 0.002], 0, [7, 8], 3)
    option = options("DepthwiseConv2D", strideH=1, strideW=1, padding=1, depthMultiplier=1)
    graph = load_tflite(single_op("DEPTHWISE_CONV_2D", [x, w, b], [Spec((), np.int8, 0.2, 5)], option, 3))
    attrs = graph.ops[0].attrs
    assert isinstance(attrs, DepthwiseConv2D)
    assert attrs.padding == (0, 0, 0, 0)


def test_uint8_stays_uint8() -> None:
    x = Spec((1, 4, 4, 1), np.uint8, 0.1, 128)
    option = options("Pool2D", strideH=2, strideW=2, padding=1, filterHeight=2, filterWidth=2)
    graph = load_tflite(single_op("MAX_POOL_2D", [x], [Spec((), np.uint8, 0.1, 128)], option))
    assert {t.dtype for t in graph.tensors} == {DType.UINT8}
    assert graph.ops[0].attrs.clamp == (0, 255)


def test_shape_arithmetic_is_folded_and_kept_as_constants(oracle) -> None:
    """x -> SHAPE -> STRIDED_SLICE (batch) -> PACK with 6 -> RESHAPE: what a dynamic batch leaves behind."""
    tensors = [
        image(1, 2, 3),
        Spec((3,), np.int32),
        *(ints([v]) for v in (0, 1, 1)),
        Spec((), np.int32),
        ints(6),
        Spec((2,), np.int32),
        image(1, 6),
    ]
    ops = [
        ("SHAPE", [0], [1], options("Shape", outType=2), 1),
        ("STRIDED_SLICE", [1, 2, 3, 4], [5], options("StridedSlice", shrinkAxisMask=1), 1),
        ("PACK", [5, 6], [7], options("Pack", valuesCount=2, axis=0), 1),
        ("RESHAPE", [0, 7], [8], options("Reshape"), 1),
    ]
    model = model_of(tensors, ops, [0], [8])
    graph = load_tflite(model)
    assert [type(op.attrs) for op in graph.ops] == [Reshape]
    assert graph.tensors[7].data is not None
    assert graph.tensors[7].data.tolist() == [1, 6]
    inputs = [np.arange(6, dtype=np.int8).reshape(1, 2, 3)]
    theirs = oracle(model).run(inputs)
    assert not differences(graph, run(graph, inputs), expected_tensors(graph, theirs))
    assert all(np.array_equal(theirs[i], graph.tensors[i].data) for i in (1, 5, 7))


def test_operator_names_are_short_unique_identifiers(shared_models: Path) -> None:
    for path in shared_models.glob("*mcunet*.tflite"):
        names = [op.name for op in load_tflite(path).ops]
        assert len(set(names)) == len(names)
        assert all(name.isidentifier() and len(name) < 64 for name in names)


def test_the_operator_table_has_a_sentence_for_every_rule() -> None:
    rows = dict(operator_table())
    assert rows.keys() == SUPPORTED.keys()
    for sentences in rows.values():
        assert all(s and not s.endswith(".") and "Try" not in s for s in sentences)


@pytest.mark.parametrize("path", ["missing.tflite", "."])
def test_unreadable_paths(path: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_tflite(tmp_path / path)


REFUSED = {
    "at most 64 pixels .* but dilation 40x1 makes it 81x3": lambda: conv(image(1, 99, 9, 2), dilationHFactor=40),
    "dilation must be positive, .* but dilation 0x1": lambda: conv(image(1, 9, 9, 2), dilationHFactor=0),
    r"read all input channels \(no grouped convolution\), but they read 2 of 4": lambda: conv(image(1, 9, 9, 4)),
    "batch 2 and the limit is 1": lambda: conv(image(2, 9, 9, 2)),
    "fused activation must be .* but its code is 4": lambda: conv(image(1, 9, 9, 2), fusedActivationFunction=4),
    "kernel must fit into the map, but kernel 3x3 meets 2x2": lambda: conv(image(1, 2, 2, 2), padding=1),
    "int8 or uint8, both the same, but .* is float32.*full integer quantisation": lambda: single_op(
        "RELU", [Spec((1, 4), np.float32)], [Spec((1, 4), np.float32)]
    ),
    "CUSTOM|BATCH_MATMUL cannot run.*transformers are not supported yet": lambda: single_op(
        "BATCH_MATMUL", [image(1, 4, 4), image(1, 4, 4)], [image(1, 4, 4)]
    ),
    "scale 1/256 .* but they are 0.5 and 0": lambda: single_op(
        "LOGISTIC", [image(1, 4)], [Spec((1, 4), np.int8, 0.5, 0)]
    ),
    "can only be used to compute a constant shape": lambda: single_op(
        "GATHER", [image(1, 4), ints([0])], [image(1, 4)], options("Gather", axis=0)
    ),
    "dynamic shape": lambda: single_op("RELU", [image(1, 0, 3)], [image(1, 0, 3)]),
    "computed at run time": lambda: single_op(
        "RESHAPE", [image(1, 4), Spec((2,), np.int32)], [image(2, 2)], options("Reshape")
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused_with_a_sentence(words: str) -> None:
    with pytest.raises(UnsupportedModel, match=words) as error:
        load_tflite(REFUSED[words]())
    assert "\n" not in str(error.value)


def test_files_to_reject(shared_models: Path) -> None:
    words = {"float32": "full integer quantisation", "lstm": "UNIDIRECTIONAL_SEQUENCE_LSTM", "corrupt": "damaged"}
    for path in (shared_models / "reject").glob("*.tflite"):
        with pytest.raises(Exception, match=next(w for k, w in words.items() if k in path.name)) as error:
            load_tflite(path)
        assert "\n" not in str(error.value)


def test_every_generator_is_loaded() -> None:
    for name in ("CONV_2D", "SPLIT", "CONCATENATION"):
        for seed in range(20):
            assert load_tflite(draw_case(name, seed)[0]).ops


def test_bilinear_positions_past_the_map_are_refused() -> None:
    """1 to 55 rows: the last Q10 position is 1026, row 1 of a map of one row; the reference reads past its end."""
    x = Spec((1, 1, 1, 2), np.int8, 0.1, 0)
    size = Spec((2,), np.int32, data=np.array([55, 1], np.int32))
    flags = options("ResizeBilinear", alignCorners=False, halfPixelCenters=False)
    out = Spec((1, 55, 1, 2), np.int8, 0.1, 0)
    with pytest.raises(UnsupportedModel, match="resizing 1 to 55"):
        load_tflite(single_op("RESIZE_BILINEAR", [x, size], [out], flags, 3))
