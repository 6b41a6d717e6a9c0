import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.codegen.ctext import comment_text, string_literal
from tessera.codegen.names import identifier, unique_identifiers


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model/conv2d_3/Relu6;model/conv2d_3/BiasAdd;model/conv2d_3/Conv2D", "conv2d_3"),
        ("MobilenetV1/MobilenetV1/Conv2d_1_pointwise/Relu6", "conv2d_1_pointwise"),
        ("model/conv2d/Relu;model/conv2d/Conv2D", "conv2d"),
        ("serving_default_input_1:0", "input_1"),
        ("StatefulPartitionedCall:0", "statefulpartitionedcall"),
        ("functional_1/dense/MatMul", "dense"),
        ("", "tensor"),
        ("12/34", "t_34"),
    ],
)
def test_identifier(name: str, expected: str) -> None:
    assert identifier(name) == expected


@given(st.lists(st.text(), max_size=20))
def test_identifiers_are_c_and_differ(names: list[str]) -> None:
    found = unique_identifiers(names)
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in found)


def test_a_name_cannot_leave_its_string_or_comment() -> None:
    assert string_literal('a"b\\c\n??/') == r'"a\042b\134c\012\077\077/"'
    assert "*/" not in comment_text("a*/b /* c")
