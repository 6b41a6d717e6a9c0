import numpy as np
from graphs import assert_same_outputs, graph_of, kinds, quant, tensor

from tessera.ir.attrs import DepthwiseConv2D
from tessera.ir.graph import DType, Graph, Quant, Tensor
from tessera.passes.depthwise_of_one_channel import depthwise_of_one_channel


def net(channels: int) -> Graph:
    """A depthwise convolution with three output channels for each input channel, each with a scale of its own."""
    rng, out = np.random.default_rng(0), 3 * channels
    scales = rng.uniform(0.005, 0.02, out).astype(np.float32)
    data = rng.integers(-127, 128, (1, 3, 2, out), dtype=np.int8)
    weights = Tensor("w", data.shape, DType.INT8, Quant(scales, 0, 3), data)
    bias = rng.integers(-2000, 2000, out, dtype=np.int32)
    tensors = [
        tensor(1, 7, 6, channels, q=quant(-5)),
        weights,
        Tensor("b", (out,), DType.INT32, Quant(scales, 0, 0), bias),
        tensor(1, 4, 6, out),
    ]
    attrs = DepthwiseConv2D((2, 1), (1, 1, 0, 1), (-100, 90), 3)
    return graph_of(tensors, [(attrs, [0, 1, 2], [3])], [0], [3])


def test_one_channel_becomes_a_convolution() -> None:
    before = net(1)
    after = depthwise_of_one_channel(before)
    assert kinds(after) == ["Conv2D"]
    assert after.tensor(after.ops[0].inputs[1]).shape == (3, 3, 2, 1)
    assert_same_outputs(before, after)


def test_more_channels_stay() -> None:
    assert kinds(depthwise_of_one_channel(net(2))) == ["DepthwiseConv2D"]
