import numpy as np
import pytest
from graphs import assert_same_outputs, graph_of, kinds, quant, tensor

from tessera.ir.attrs import Mean, MeanOfMeans, Transpose
from tessera.passes.fuse_means import fuse_means

COLUMNS, ROWS = Mean((2,), True), Mean((1,), True)
LAST = Mean((2,), False)


def net(first: Mean, second: Mean, outputs: tuple[int, ...] = (2,), batch: int = 1):
    shape = (batch, 7, 5, 3)
    between = tuple(1 if i in first.axes else d for i, d in enumerate(shape))
    last = tuple(1 if i in second.axes else d for i, d in enumerate(between))
    tensors = [tensor(*shape, q=quant(-9, 0.1)), tensor(*between, q=quant(40, 0.031)), tensor(*last, q=quant(-3, 0.02))]
    return graph_of(tensors, [(first, [0], [1]), (second, [1], [2])], [0], list(outputs))


def test_two_means_become_one_operator() -> None:
    before = net(COLUMNS, ROWS)
    after = fuse_means(before)
    assert kinds(after) == ["MeanOfMeans"]
    assert after.ops[0].attrs == MeanOfMeans(np.float32(0.031), 40)
    assert after.tensor(after.outputs[0]).source == 2
    assert_same_outputs(before, after)


@pytest.mark.parametrize(
    "before",
    [
        net(ROWS, COLUMNS),
        net(COLUMNS, Mean((1, 2), True)),
        net(COLUMNS, ROWS, outputs=(1, 2)),
        net(COLUMNS, ROWS, batch=2),
    ],
    ids=["rows first", "both axes", "the means of rows are an output", "two images"],
)
def test_others_stay(before) -> None:
    assert kinds(fuse_means(before)) == ["Mean", "Mean"]


def test_means_of_rows_that_others_read_stay() -> None:
    tensors = [tensor(1, 4, 5, 2), tensor(1, 4, 1, 2), tensor(1, 1, 1, 2), tensor(1, 1, 1, 2)]
    ops = [(COLUMNS, [0], [1]), (ROWS, [1], [2]), (Mean((1, 2), True), [1], [3])]
    assert kinds(fuse_means(graph_of(tensors, ops, [0], [2, 3]))) == ["Mean", "Mean", "Mean"]


def channels_first(second: Mean = LAST, scale: float = 0.1, outputs: tuple[int, ...] = (3,)):
    """TRANSPOSE to [1, C, H, W], means over W and over H."""
    shapes = ((1, 7, 5, 3), (1, 3, 7, 5), (1, 3, 7), (1, 3) if second.axes == (2,) else (1, 7))
    quants = (quant(-9, 0.1), quant(-9, scale), quant(40, 0.031), quant(-3, 0.02))
    tensors = [tensor(*shape, q=q) for shape, q in zip(shapes, quants, strict=True)]
    ops = [(Transpose((0, 3, 1, 2)), [0], [1]), (Mean((3,), False), [1], [2]), (second, [2], [3])]
    return graph_of(tensors, ops, [0], list(outputs))


def test_means_of_a_transposed_map_read_it_as_it_lies() -> None:
    before = channels_first()
    after = fuse_means(before)
    assert kinds(after) == ["MeanOfMeans", "Reshape"]
    assert after.ops[0].attrs == MeanOfMeans(np.float32(0.031), 40)
    assert after.tensor(after.outputs[0]).source == 3
    assert_same_outputs(before, after)


@pytest.mark.parametrize(
    "before",
    [channels_first(Mean((1,), False)), channels_first(scale=0.3), channels_first(outputs=(2, 3))],
    ids=["the mean of channels", "another scale", "the means of rows are an output"],
)
def test_other_transposed_maps_stay(before) -> None:
    assert kinds(fuse_means(before)) == ["Transpose", "Mean", "Mean"]
