"""MobileNetV2 and MobileNetV2-RD, as blocks and as graphs with random int8 weights.

Sandler et al., arXiv 1801.04381, table 2. RD: Lin et al. (MCUNetV2), arXiv 2110.15352, section 3.2: smaller kernels and
fewer blocks while patches run, more blocks after. The paper draws it (figure 4) and publishes no code; its table 1 pins
it down: a patch of 63 x 63 leaves no stride-1 kernel above 1 x 1 before the map of 28 x 28, 73 M MACs at +18 % leave no
second block of 24 channels, 301 M at +3 % in all leave two more blocks of 64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tessera.ir.attrs import Add, Attrs, Conv2D, DepthwiseConv2D, FullyConnected, Mean, Padding, Reshape
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.ir.shapes import same_padding, window_count

ALL_BYTES = (-128, 127)
IMAGE = Quant(np.array([1 / 255], np.float32), -128)
RELU6 = Quant(np.array([6 / 255], np.float32), -128)
LINEAR = Quant(np.array([0.05], np.float32), 0)


@dataclass(frozen=True, slots=True)
class Block:
    """Inverted residual: 1x1 to `expand` times the channels (1: none), depthwise `kernel` by `stride`, 1x1 linear to
    `out`; the input is added where shapes allow."""

    expand: int
    out: int
    kernel: int
    stride: int


@dataclass(frozen=True, slots=True)
class Net:
    """A 3x3 convolution by stride 2 to `stem` channels, blocks, 1x1 to `head`, mean, fully connected to classes."""

    name: str
    blocks: tuple[Block, ...]
    stem: int = 32
    head: int = 1280

    def scaled(self, width: float) -> Net:
        """Channels times width, in eights; the head does not shrink."""
        blocks = tuple(replace(b, out=_in_eights(b.out * width)) for b in self.blocks)
        return Net(self.name, blocks, _in_eights(self.stem * width), max(self.head, _in_eights(self.head * width)))


def _in_eights(channels: float) -> int:
    """Nearest multiple of 8 that is not more than 10 % less, as in the reference code of both papers."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _run(count: int, expand: int, out: int, kernel: int, stride: int) -> tuple[Block, ...]:
    return (Block(expand, out, kernel, stride), *[Block(expand, out, kernel, 1)] * (count - 1))


_FROM_96 = (*_run(3, 6, 96, 3, 1), *_run(3, 6, 160, 3, 2), Block(6, 320, 3, 1))
MOBILENETV2 = Net(
    "mobilenetv2",
    (Block(1, 16, 3, 1), *_run(2, 6, 24, 3, 2), *_run(3, 6, 32, 3, 2), *_run(4, 6, 64, 3, 2), *_FROM_96),
)
MOBILENETV2_RD = Net(
    "mobilenetv2_rd",
    (Block(1, 16, 1, 1), Block(6, 24, 3, 2), *_run(3, 6, 32, 3, 2), *_run(6, 6, 64, 3, 2), *_FROM_96),
)
NETS = {net.name: net for net in (MOBILENETV2, MOBILENETV2_RD)}


def build_graph(net: Net, *, width: float = 1.0, size: int = 224, classes: int = 1000, seed: int = 1) -> Graph:
    """Same shapes as models/mobilenetv2/definition.py; weights drawn so that every map keeps its spread."""
    net, b = net.scaled(width), _Builder(np.random.default_rng(seed))
    x = b.add(Tensor("image", (1, size, size, 3), DType.INT8, IMAGE))
    image = x
    x = b.conv("stem", x, net.stem, 3, 2, RELU6)
    for number, block in enumerate(net.blocks):
        x = _block(b, f"block{number}", x, block)
    x = b.conv("head", x, net.head, 1, 1, RELU6)
    x = b.op("mean", Mean((1, 2), True), (x,), (1, 1, 1, net.head), RELU6)
    x = b.op("flat", Reshape(), (x,), (1, net.head), RELU6)
    weights = b.weights("classes", (classes, net.head), net.head, x)
    x = b.op("classes", FullyConnected(ALL_BYTES), (x, *weights), (1, classes), LINEAR)
    return Graph(net.name, tuple(b.tensors), tuple(b.ops), (image,), (x,))


def _block(b: _Builder, name: str, x: TensorId, block: Block) -> TensorId:
    channels = b.tensors[x].shape[3]
    y = b.conv(f"{name}_expand", x, block.expand * channels, 1, 1, RELU6) if block.expand > 1 else x
    y = b.depthwise(f"{name}_dw", y, block.kernel, block.stride)
    y = b.conv(f"{name}_project", y, block.out, 1, 1, LINEAR)
    if block.stride == 1 and block.out == channels:
        y = b.op(f"{name}_add", Add(ALL_BYTES), (x, y), b.tensors[y].shape, LINEAR)
    return y


class _Builder:
    """Collects tensors and operators; every method returns the output's id."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []

    def add(self, tensor: Tensor) -> TensorId:
        self.tensors.append(tensor)
        return TensorId(len(self.tensors) - 1)

    def op(
        self, name: str, attrs: Attrs, inputs: tuple[TensorId, ...], shape: tuple[int, ...], quant: Quant
    ) -> TensorId:
        out = self.add(Tensor(name, shape, DType.INT8, quant))
        self.ops.append(Op(name, attrs, inputs, (out,)))
        return out

    def conv(self, name: str, x: TensorId, channels: int, kernel: int, stride: int, quant: Quant) -> TensorId:
        padding, rows, cols = self._window(x, kernel, stride)
        inputs = self.tensors[x].shape[3]
        weights = self.weights(name, (channels, kernel, kernel, inputs), kernel * kernel * inputs, x)
        attrs = Conv2D((stride, stride), padding, ALL_BYTES)
        return self.op(name, attrs, (x, *weights), (1, rows, cols, channels), quant)

    def depthwise(self, name: str, x: TensorId, kernel: int, stride: int) -> TensorId:
        padding, rows, cols = self._window(x, kernel, stride)
        channels = self.tensors[x].shape[3]
        weights = self.weights(name, (1, kernel, kernel, channels), kernel * kernel, x)
        attrs = DepthwiseConv2D((stride, stride), padding, ALL_BYTES, 1)
        return self.op(name, attrs, (x, *weights), (1, rows, cols, channels), RELU6)

    def weights(self, name: str, shape: tuple[int, ...], fan_in: int, x: TensorId) -> tuple[TensorId, TensorId]:
        """Weights of standard deviation (2 / fan_in) ** 0.5 and a bias between -1 and 1, one scale for all."""
        scale = (2 / fan_in) ** 0.5 / 73  # 73: the deviation of whole numbers from -127 to 127
        values = self.rng.integers(-127, 128, shape, dtype=np.int8)
        w = self.add(Tensor(f"{name}_weights", shape, DType.INT8, _scale(scale), values))
        of_bias = float(self.tensors[x].q.scale) * scale
        channels = shape[3] if shape[0] == 1 and len(shape) == 4 else shape[0]
        bias = self.rng.integers(-int(1 / of_bias), int(1 / of_bias) + 1, channels, dtype=np.int32)
        return w, self.add(Tensor(f"{name}_bias", (channels,), DType.INT32, _scale(of_bias), bias))

    def _window(self, x: TensorId, kernel: int, stride: int) -> tuple[Padding, int, int]:
        """SAME padding, and the output's rows and columns."""
        _, height, width, _ = self.tensors[x].shape
        (top, bottom), (left, right) = (same_padding(n, kernel, stride) for n in (height, width))
        rows, cols = window_count(height, kernel, stride, top, bottom), window_count(width, kernel, stride, left, right)
        return (top, bottom, left, right), rows, cols


def _scale(value: float) -> Quant:
    return Quant(np.array([value], np.float32), 0)
