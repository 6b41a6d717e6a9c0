"""Each operator on random and adversarial models: as loaded and after the passes, byte for byte."""

import numpy as np
import pytest

from single_op import GENERATORS, draw_case
from tessera.errors import BadInput
from tessera.frontend.tflite import load_tflite
from tessera.interpreter import run
from tessera.oracle.compare import differences, expected_tensors, litert_inputs
from tessera.passes import PASSES, run_passes


@pytest.mark.parametrize("name", GENERATORS)
def test_operator(name: str, cases: int, oracle) -> None:
    for seed in range(cases):
        model, inputs = draw_case(name, seed)
        litert = oracle(model)
        loaded = load_tflite(model)
        values = run(loaded, inputs)
        assert not differences(loaded, values, expected_tensors(loaded, litert.run(inputs))), seed

        passed = run_passes(loaded, PASSES)
        passed_inputs = [values[passed.tensors[i].source] for i in passed.inputs]
        expected = expected_tensors(passed, litert.run(litert_inputs(loaded, passed, passed_inputs)))
        assert expected
        assert not differences(passed, run(passed, passed_inputs), expected), seed


def test_a_wrong_input_is_named() -> None:
    graph = load_tflite(draw_case("RELU", 0)[0])
    with pytest.raises(BadInput, match=r"takes (u?int8) \[256\] and float32 \[3\]"):
        run(graph, [np.zeros(3, np.float32)])
    with pytest.raises(BadInput, match="takes 1 inputs and 0"):
        run(graph, [])
