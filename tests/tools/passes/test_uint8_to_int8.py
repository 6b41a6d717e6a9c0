import numpy as np
import pytest
from graphs import assert_same_outputs

from single_op import draw_case
from tessera.frontend.tflite import load_tflite
from tessera.ir.attrs import AvgPool2D, Conv2D
from tessera.ir.graph import DType
from tessera.passes.uint8_to_int8 import uint8_to_int8

NAMES = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D", "SOFTMAX")
NAMES += ("PAD", "HARD_SWISH", "CONCATENATION", "QUANTIZE")


@pytest.mark.parametrize("name", NAMES)
def test_only_the_edges_stay_uint8(name: str) -> None:
    seen = 0
    for seed in range(30):
        before = load_tflite(draw_case(name, seed)[0])
        after = uint8_to_int8(before)
        assert_same_outputs(before, after)
        edges = {*after.inputs, *after.outputs}
        used = {i for op in after.ops for i in (*op.inputs, *op.outputs)}
        assert all(after.tensors[i].dtype is not DType.UINT8 for i in used - edges)
        seen += after is not before
    assert seen > 3


def test_constants_and_attributes_move_by_128() -> None:
    for seed in range(50):
        before = load_tflite(draw_case("CONV_2D", seed)[0])
        if before.tensors[0].dtype is DType.UINT8:
            break
    after = uint8_to_int8(before)
    (conv,) = (op for op in after.ops if isinstance(op.attrs, Conv2D))
    old, new = before.tensors[before.ops[0].inputs[1]], after.tensors[conv.inputs[1]]
    assert conv.attrs.float32_product
    assert new.q.zero_point == old.q.zero_point - 128
    assert np.array_equal(new.data.astype(int), old.data.astype(int) - 128)
    assert conv.attrs.clamp[0] == before.ops[0].attrs.clamp[0] - 128


def test_average_pool_rounds_from_the_raw_zero_of_uint8() -> None:
    for seed in range(50):
        before = load_tflite(draw_case("AVERAGE_POOL_2D", seed)[0])
        pools = [op.attrs for op in uint8_to_int8(before).ops if isinstance(op.attrs, AvgPool2D)]
        was_uint8 = before.tensors[0].dtype is DType.UINT8
        assert [p.raw_zero for p in pools] == [-128 if was_uint8 else 0]


def test_int8_graphs_are_left_alone() -> None:
    graph = load_tflite(draw_case("PRELU", 0)[0])
    assert uint8_to_int8(graph) is graph
