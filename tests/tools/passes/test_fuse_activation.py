import numpy as np
import pytest
from graphs import assert_same_outputs, clamp_lookup, conv1x1, graph_of, kinds, quant, tensor, weights

from tessera.ir.attrs import Lookup
from tessera.passes.fuse_activation import fuse_activation


def net(table: Lookup, q=None, outputs=(3,)):
    tensors = [tensor(1, 3, 3, 2), weights(4, 1, 1, 2), tensor(1, 3, 3, 4), tensor(1, 3, 3, 4, q=q or quant())]
    return graph_of(tensors, [(conv1x1(), [0, 1], [2]), (table, [2], [3])], [0], outputs)


def test_a_clamp_moves_into_the_convolution() -> None:
    before = net(clamp_lookup(-5, 40))
    after = fuse_activation(before)
    assert kinds(after) == ["Conv2D"]
    assert after.ops[0].attrs.clamp == (-5, 40)
    assert_same_outputs(before, after)


def test_two_clamps_in_a_row() -> None:
    tensors = [tensor(1, 3, 3, 2), weights(4, 1, 1, 2), *(tensor(1, 3, 3, 4) for _ in range(3))]
    ops = [(conv1x1(), [0, 1], [2]), (clamp_lookup(-5, 40), [2], [3]), (clamp_lookup(50, 60), [3], [4])]
    before = graph_of(tensors, ops, [0], [4])
    after = fuse_activation(before)
    assert kinds(after) == ["Conv2D"]
    assert_same_outputs(before, after)


@pytest.mark.parametrize(
    "before",
    [
        net(Lookup(np.arange(256, dtype=np.uint8)[::-1].copy(), "NEG")),
        net(clamp_lookup(-5, 40), q=quant(1)),
        net(clamp_lookup(-5, 40), outputs=(2, 3)),
    ],
    ids=["not a clamp", "another scale", "read elsewhere"],
)
def test_other_tables_stay(before) -> None:
    assert kinds(fuse_activation(before)) == ["Conv2D", "Lookup"]
