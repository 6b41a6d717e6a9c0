import ast
import re
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tessera.codegen.constants import Constants
from tessera.codegen.ctext import MAX_LISTED_BYTES, array_text, float_text, int_text, struct_sizes
from tessera.kernels.call import Array, Function, Struct


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_is_read_back_exactly(value: float) -> None:
    text = float_text(value)
    assert re.fullmatch(r"-?\d+(\.\d+)?(e[+-]\d+)?f", text)
    assert "." in text or "e" in text
    assert np.float32(text[:-1]) == np.float32(value)


def test_a_long_array_is_a_string_of_its_bytes() -> None:
    data = np.random.default_rng(0).integers(-128, 128, MAX_LISTED_BYTES + 3).astype(np.int8)
    lines = [line.strip() for line in array_text(Array("weights", "int8_t", data)).strip().splitlines()]
    assert b"".join(ast.literal_eval(f"b{line}") for line in lines) == data.tobytes()


def test_a_short_array_is_a_list_of_numbers() -> None:
    assert array_text(Array("bias", "int32_t", np.array([[1, -2], [3, -(1 << 31)]]))) == "{1, -2, 3, INT32_MIN}"
    assert int_text(1 << 40) == "INT64_C(1099511627776)"


def test_four_megabytes_are_written_in_seconds() -> None:
    start = time.monotonic()
    array_text(Array("weights", "int8_t", np.zeros(4_000_000, np.int8)))
    assert time.monotonic() - start < 5


def test_a_function_is_a_pointer() -> None:
    struct = Struct("tess_example_t", (("count", 3), ("kernel", Function("tess_example_s8__dsp")), ("rest", None)))
    constants = Constants()
    assert constants.struct(struct, "example", "step") == "&example"
    assert constants.structs[0].fields == (("count", "3"), ("kernel", "tess_example_s8__dsp"), ("rest", "NULL"))
    assert struct_sizes(struct) == (12, 24)
