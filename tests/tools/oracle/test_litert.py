"""The oracle's process, and the comparison."""

from dataclasses import replace

import numpy as np
import pytest

from single_op import Spec, draw_case, options, single_op
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import TensorId
from tessera.oracle.compare import differences, expected_tensors
from tessera.oracle.litert import Oracle, OracleError, litert_tensors


def test_an_abort_becomes_an_error_and_the_oracle_lives_on() -> None:
    """The reference asserts where the exponentials of a SOFTMAX row sum to 512."""
    out = Spec((1, 600), np.int8, 1 / 256, -128)
    model = single_op("SOFTMAX", [Spec((1, 600), np.int8, 0.1, 0)], [out], options("Softmax", beta=1.0))
    with Oracle(model) as oracle:
        with pytest.raises(OracleError, match="LiteRT aborted during 'run'"):
            oracle.run([np.zeros((1, 600), np.int8)])
        spread = np.zeros((1, 600), np.int8)
        spread[0, 0] = 127
        assert oracle.run([spread])[1].shape == (1, 600)


def test_a_refused_model_is_an_error() -> None:
    x = Spec((1, 4), np.int8, 0.1, 0)
    with pytest.raises(OracleError, match="LiteRT refuses to load"):
        Oracle(single_op("LOGISTIC", [x], [Spec((1, 4), np.int8, 0.1, 0)]))


def test_one_call_gives_every_tensor() -> None:
    model, inputs = draw_case("ADD", 0)
    tensors = litert_tensors(model, inputs)
    assert np.array_equal(tensors[0], inputs[0])
    assert tensors[load_tflite(model).outputs[0]] is not None


def test_differences_name_the_first_wrong_element() -> None:
    graph = load_tflite(draw_case("RELU", 0)[0])
    a = np.zeros(256, np.int8)
    b = a.copy()
    b[[7, 9]] = 1
    (d,) = differences(graph, {TensorId(1): b}, {TensorId(1): a})
    assert (d.wrong, d.size, d.first) == (2, 256, 7)
    assert str(d) == "tensor 1 't1': 2 of 256 differ, first at 7"
    assert differences(graph, [None, None], {TensorId(1): a})[0].wrong == 256


def test_a_tensor_that_lost_channels_is_compared_in_the_others() -> None:
    graph = load_tflite(draw_case("RELU", 0)[0])
    (out,) = graph.outputs
    tensors = tuple(replace(t, kept=(3, 7)) if i == out else t for i, t in enumerate(graph.tensors))
    theirs = np.arange(-128, 128).astype(np.int8)
    assert expected_tensors(replace(graph, tensors=tensors), [theirs, theirs])[out].tolist() == [-125, -121]
