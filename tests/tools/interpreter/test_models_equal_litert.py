"""Every tensor of every model at hand, as loaded and after the passes."""

from pathlib import Path

import numpy as np
import pytest

from shared_files import shared_model_names
from tessera.frontend.tflite import load_tflite
from tessera.interpreter import run
from tessera.ir.graph import DType
from tessera.oracle.compare import differences, expected_tensors, litert_inputs
from tessera.oracle.inputs import test_inputs
from tessera.passes import EDGES_FLOAT_PASSES, PASSES, run_passes


@pytest.mark.parametrize("name", shared_model_names())
def test_model(name: str, shared_models: Path, oracle) -> None:
    content = (shared_models / name).read_bytes()
    litert = oracle(content)
    loaded = load_tflite(content, name=name)
    passed = run_passes(loaded, PASSES)
    constants = {i: t.data for i, t in enumerate(loaded.tensors) if t.data is not None and t.source is not None}
    for n, inputs in enumerate(test_inputs(loaded, 5, 1)):
        theirs, values = litert.run(inputs), run(loaded, inputs)
        assert not differences(loaded, values, expected_tensors(loaded, theirs))
        if n == 0:  # folded shape arithmetic and weights
            assert not differences(loaded, constants, {i: theirs[i] for i in constants if theirs[i] is not None})
        expected = expected_tensors(passed, theirs)
        assert set(passed.outputs) <= expected.keys()
        # what the QUANTIZE that the passes took away gave, with a uint8 byte flipped
        assert not differences(passed, run(passed, [expected[i] for i in passed.inputs]), expected)

    (inputs,) = test_inputs(passed, 1, 2)
    theirs = litert.run(litert_inputs(loaded, passed, inputs))
    assert not differences(passed, run(passed, inputs), expected_tensors(passed, theirs))


@pytest.mark.parametrize("name", shared_model_names())
def test_only_8_bit_tensors_are_left(name: str, shared_models: Path) -> None:
    loaded = load_tflite(shared_models / name)
    passed = run_passes(loaded, PASSES)
    edges = {*passed.inputs, *passed.outputs}
    for op in passed.ops:
        for i in op.outputs:
            assert passed.tensors[i].dtype is DType.INT8 or (i in edges and passed.tensors[i].dtype is DType.UINT8)
    kept = run_passes(loaded, EDGES_FLOAT_PASSES)
    for before, after in ((loaded.inputs, kept.inputs), (loaded.outputs, kept.outputs)):
        assert [loaded.tensors[i].dtype for i in before] == [kept.tensors[i].dtype for i in after]


def test_inputs_are_the_same_for_the_same_seed(shared_models: Path) -> None:
    graph = load_tflite(shared_models / "own_cnn.tflite")
    first, second = test_inputs(graph, 9, 3), test_inputs(graph, 9, 3)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0][0], test_inputs(graph, 1, 4)[0][0])
