import pytest
from graphs import assert_same_outputs, conv1x1, graph_of, kinds, quant, tensor, weights

from tessera.ir.attrs import Pad
from tessera.passes.fold_pad import fold_pad

ZERO = ((0, 0), (1, 2), (3, 0), (0, 0))


def net(pad: Pad, **padded: object):
    _, (top, bottom), (left, right), (front, back) = pad.amounts
    shape = (1, 5 + top + bottom, 4 + left + right, 2 + front + back)
    tensors = [tensor(1, 5, 4, 2, q=quant(7)), tensor(*shape, q=padded.get("q", quant(7)))]
    depth = shape[3]
    tensors += [weights(3, 2, 2, depth), tensor(1, shape[1] + 1, shape[2], 3)]
    return graph_of(tensors, [(pad, [0], [1]), (conv1x1((1, 1, 1, 0)), [1, 2], [3])], [0], [3])


def test_padding_moves_into_the_convolution() -> None:
    before = net(Pad(ZERO, 7))
    after = fold_pad(before)
    assert kinds(after) == ["Conv2D"]
    assert after.ops[0].attrs.padding == (2, 3, 4, 0)
    assert_same_outputs(before, after)


@pytest.mark.parametrize(
    "before",
    [net(Pad(ZERO, 0)), net(Pad(((0, 0), (1, 1), (1, 1), (1, 0)), 7)), net(Pad(ZERO, 7), q=quant(7, 0.3))],
    ids=["another value", "channels", "another scale"],
)
def test_other_padding_stays(before) -> None:
    assert kinds(fold_pad(before)) == ["Pad", "Conv2D"]


def test_a_padded_output_stays() -> None:
    before = graph_of([tensor(1, 5, 4, 2), tensor(1, 8, 7, 2)], [(Pad(ZERO, 0), [0], [1])], [0], [1])
    assert kinds(fold_pad(before)) == ["Pad"]
