import numpy as np
from graphs import graph_of, kinds, quant, tensor

from tessera.interpreter import run
from tessera.ir.attrs import Dequantize, Lookup, Quantize, Reshape
from tessera.ir.graph import DType
from tessera.ir.verify import verify_graph
from tessera.oracle.compare import litert_inputs
from tessera.passes.strip_edges import strip_edges

FLOAT = DType.FLOAT32


def test_float_edges_become_8_bit() -> None:
    tensors = [tensor(1, 4, dtype=FLOAT), tensor(1, 4), tensor(4, 1), tensor(4, 1, dtype=FLOAT)]
    before = graph_of(tensors, [(Quantize(), [0], [1]), (Reshape(), [1], [2]), (Dequantize(), [2], [3])], [0], [3])
    after = strip_edges(before)
    verify_graph(after)
    assert kinds(after) == ["Reshape"]
    assert (after.inputs, after.outputs) == ((1,), (2,))


def test_a_uint8_quantize_that_moves_the_zero_point_goes() -> None:
    table = (np.arange(256) ^ 0x80).astype(np.uint8)
    tensors = [tensor(1, 256, dtype=DType.UINT8, q=quant(128)), tensor(1, 256, q=quant(0)), tensor(256, q=quant(0))]
    before = graph_of(tensors, [(Lookup(table, "QUANTIZE"), [0], [1]), (Reshape(), [1], [2])], [0], [2])
    after = strip_edges(before)
    assert kinds(after) == ["Reshape"]
    value = np.arange(-128, 128, dtype=np.int8).reshape(1, 256)
    (given,) = litert_inputs(before, after, [value])
    assert given.dtype == np.uint8
    assert np.array_equal(run(before, [given])[2], run(after, [value])[2])


def test_two_equal_quantizes_of_one_input_become_one_input() -> None:
    tensors = [tensor(1, 4, dtype=FLOAT), tensor(1, 4), tensor(1, 4), tensor(4), tensor(4)]
    ops = [(Quantize(), [0], [1]), (Quantize(), [0], [2]), (Reshape(), [1], [3]), (Reshape(), [2], [4])]
    after = strip_edges(graph_of(tensors, ops, [0], [3, 4]))
    verify_graph(after)
    assert after.inputs == (1,)
    assert kinds(after) == ["Reshape", "Reshape"]


def test_quantizes_with_different_scales_stay() -> None:
    tensors = [tensor(1, 4, dtype=FLOAT), tensor(1, 4), tensor(1, 4, q=quant(3)), tensor(4), tensor(4)]
    ops = [(Quantize(), [0], [1]), (Quantize(), [0], [2]), (Reshape(), [1], [3]), (Reshape(), [2], [4])]
    before = graph_of(tensors, ops, [0], [3, 4])
    assert kinds(strip_edges(before)) == kinds(before)


def test_an_input_that_only_passes_through_stays() -> None:
    tensors = [tensor(1, 4), tensor(1, 4, dtype=FLOAT)]
    before = graph_of(tensors, [(Dequantize(), [0], [1])], [0], [1])
    assert kinds(strip_edges(before)) == ["Dequantize"]
