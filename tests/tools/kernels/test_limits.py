import numpy as np
import pytest

from single_op import Spec, options, single_op
from tessera.errors import UnsupportedModel
from tessera.frontend.tflite import load_tflite
from tessera.kernels.select import select_kernels
from tessera.schedule.layerwise import make_schedule


def select(model: bytes) -> tuple[str, ...]:
    graph = load_tflite(model, name="case")
    return tuple(call.symbol for call in select_kernels(graph, make_schedule(graph)))


def conv(kernel: tuple[int, int], bias: int) -> bytes:
    x = Spec((1, kernel[0], kernel[1], 1), np.int8, 1.0, 0)
    w = Spec((1, *kernel, 1), np.int8, 1.0, 0, np.full((1, *kernel, 1), 127))
    b = Spec((1,), np.int32, 1.0, 0, np.array([bias]))
    fields = {"strideH": 1, "strideW": 1, "padding": 1, "fusedActivationFunction": 0}
    return single_op("CONV_2D", [x, w, b], [Spec((), np.int8, 1.0, 0)], options("Conv2D", **fields), 3)


def softmax(length: int) -> bytes:
    out = Spec((), np.int8, 1 / 256, -128)
    return single_op("SOFTMAX", [Spec((1, length), np.int8, 0.1, 0)], [out], options("Softmax", beta=1.0))


def test_a_window_of_64_rows_is_the_tallest() -> None:
    assert select(conv((64, 1), 0)) == ("tess_conv2d_s8",)
    with pytest.raises(UnsupportedModel, match=r"at most 64 rows high, but it has 65"):
        select(conv((65, 1), 0))


def test_an_accumulator_that_overflows_is_refused() -> None:
    room = (1 << 31) - 1 - 127 * 127
    assert select(conv((1, 1), room)) == ("tess_conv2d_1x1_s8",)
    with pytest.raises(UnsupportedModel, match=r"fit in 32 bits .* but they reach 2147483648"):
        select(conv((1, 1), room + 1))


def test_a_softmax_row_of_4095_is_the_longest() -> None:
    assert select(softmax(4095)) == ("tess_softmax_s8",)
    with pytest.raises(UnsupportedModel, match=r"at most 4095 elements, but it has 4096"):
        select(softmax(4096))
