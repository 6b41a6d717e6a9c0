import numpy as np
import pytest
from graphs import assert_same_outputs, graph_of, kinds, quant, tensor

from tessera.ir.attrs import Concatenation, Lookup, Pack, Pad, Reshape, ResizeNearest, Split, StridedSlice, Transpose
from tessera.passes.drop_identities import drop_identities

IDENTITY = Lookup(np.arange(256, dtype=np.uint8), "RELU")
REVERSE = Lookup(np.arange(256, dtype=np.uint8)[::-1].copy(), "NEG")


def between(attrs, shape, out=None, q=None):
    """x -> REVERSE -> attrs -> REVERSE -> y"""
    tensors = [tensor(*shape), tensor(*shape), tensor(*(out or shape), q=q), tensor(*(out or shape))]
    return graph_of(tensors, [(REVERSE, [0], [1]), (attrs, [1], [2]), (REVERSE, [2], [3])], [0], [3])


@pytest.mark.parametrize(
    "attrs",
    [
        IDENTITY,
        Reshape(),
        Transpose((0, 1, 2, 3)),
        Concatenation(1),
        Split(2),
        Pad(((0, 0),) * 4, 0),
        StridedSlice((0, 0, 0, 0), (1, 1, 1, 1), (1, 4, 1, 3)),
        ResizeNearest(False, False),
    ],
    ids=lambda a: type(a).__name__,
)
def test_what_does_nothing_goes(attrs) -> None:
    before = between(attrs, (1, 4, 1, 3))
    after = drop_identities(before)
    assert kinds(after) == ["Lookup", "Lookup"]
    assert_same_outputs(before, after)


@pytest.mark.parametrize(
    ("attrs", "shape", "out"),
    [
        (Transpose((0, 2, 1, 3)), (1, 4, 1, 3), (1, 1, 4, 3)),
        (Pack(1), (4, 3), (4, 1, 3)),
        (StridedSlice((0, 0), (1, 1), (1, 5), (0,)), (1, 5), (5,)),
    ],
    ids=["transpose", "pack", "shrink"],
)
def test_what_renames_dimensions_becomes_a_reshape(attrs, shape, out) -> None:
    before = between(attrs, shape, out)
    after = drop_identities(before)
    assert kinds(after) == ["Lookup", "Reshape", "Lookup"]
    assert_same_outputs(before, after)


@pytest.mark.parametrize(
    "before",
    [
        between(REVERSE, (1, 4)),
        between(Transpose((0, 2, 1)), (1, 4, 2), (1, 2, 4)),
        between(StridedSlice((3,), (-1,), (4,)), (4,)),
        between(IDENTITY, (4,), q=quant(5)),
    ],
    ids=["table", "transpose", "backwards", "another scale"],
)
def test_what_does_something_stays(before) -> None:
    assert kinds(drop_identities(before)) == kinds(before)


def test_reshapes_in_a_row_become_one() -> None:
    tensors = [tensor(2, 6), tensor(12), tensor(3, 4), tensor(2, 6), tensor(2, 6)]
    ops = [(Reshape(), [0], [1]), (Reshape(), [1], [2]), (Reshape(), [2], [3]), (REVERSE, [3], [4])]
    before = graph_of(tensors, ops, [0], [4, 2])
    after = drop_identities(before)
    assert_same_outputs(before, after)
    assert after.ops[-1].inputs == (0,)


def test_an_input_that_is_an_output_keeps_its_reshape() -> None:
    before = graph_of([tensor(2, 3), tensor(2, 3)], [(Reshape(), [0], [1])], [0], [1])
    assert kinds(drop_identities(before)) == ["Reshape"]
