"""Graphs to test schedules and plans on, built by hand or drawn by hypothesis. Values do not matter, shapes do."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tessera.ir.attrs import (
    Add,
    Attrs,
    AvgPool2D,
    Concatenation,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    Lookup,
    Mean,
    Padding,
    Pair,
    Reshape,
    Split,
)
from tessera.ir.graph import DType, Graph, Op, Tensor, TensorId

CLAMP = (-128, 127)
NO_PADDING = (0, 0, 0, 0)


class Builder:
    """Collects tensors and operators; every method returns the output's id."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        self.inputs: list[TensorId] = []

    def tensor(self, name: str, shape: tuple[int, ...], *, constant: bool = False) -> TensorId:
        data = np.zeros(shape, np.int8) if constant else None
        self.tensors.append(Tensor(name, shape, DType.INT8, data=data))
        return TensorId(len(self.tensors) - 1)

    def input(self, *shape: int) -> TensorId:
        self.inputs.append(self.tensor(f"input{len(self.inputs)}", shape))
        return self.inputs[-1]

    def op(self, attrs: Attrs, inputs: tuple[TensorId, ...], *shapes: tuple[int, ...]) -> TensorId:
        name = f"{type(attrs).__name__.lower()}{len(self.ops)}"
        outputs = tuple(self.tensor(f"{name}_{i}" if i else name, shape) for i, shape in enumerate(shapes))
        self.ops.append(Op(name, attrs, inputs, outputs))
        return outputs[0]

    def shape(self, x: TensorId) -> tuple[int, ...]:
        return self.tensors[x].shape

    def lookup(self, x: TensorId) -> TensorId:
        return self.op(Lookup(np.zeros(256, np.uint8), "RELU"), (x,), self.shape(x))

    def add(self, x: TensorId, y: TensorId) -> TensorId:
        return self.op(Add(CLAMP), (x, y), np.broadcast_shapes(self.shape(x), self.shape(y)))

    def conv(
        self, x: TensorId, channels: int, kernel: Pair = (1, 1), stride: Pair = (1, 1), padding: Padding = NO_PADDING
    ) -> TensorId:
        weights = self.tensor(f"w{len(self.tensors)}", (channels, *kernel, self.shape(x)[3]), constant=True)
        rows, cols = window_shape(self.shape(x), kernel, stride, padding)
        return self.op(Conv2D(stride, padding, CLAMP), (x, weights), (1, rows, cols, channels))

    def depthwise(
        self, x: TensorId, kernel: Pair, stride: Pair = (1, 1), padding: Padding = NO_PADDING, multiplier: int = 1
    ) -> TensorId:
        channels = self.shape(x)[3] * multiplier
        weights = self.tensor(f"w{len(self.tensors)}", (1, *kernel, channels), constant=True)
        rows, cols = window_shape(self.shape(x), kernel, stride, padding)
        attrs = DepthwiseConv2D(stride, padding, CLAMP, multiplier)
        return self.op(attrs, (x, weights), (1, rows, cols, channels))

    def pool(self, x: TensorId, kernel: Pair, stride: Pair = (1, 1), padding: Padding = NO_PADDING) -> TensorId:
        rows, cols = window_shape(self.shape(x), kernel, stride, padding)
        return self.op(AvgPool2D(kernel, stride, padding, CLAMP), (x,), (1, rows, cols, self.shape(x)[3]))

    def mean(self, x: TensorId) -> TensorId:
        return self.op(Mean((1, 2), True), (x,), (1, 1, 1, self.shape(x)[3]))

    def reshape(self, x: TensorId, *shape: int) -> TensorId:
        return self.op(Reshape(), (x,), shape)

    def concat(self, *xs: TensorId) -> TensorId:
        shape = self.shape(xs[0])
        return self.op(Concatenation(3), xs, (*shape[:3], sum(self.shape(x)[3] for x in xs)))

    def split(self, x: TensorId) -> tuple[TensorId, TensorId]:
        *outer, channels = self.shape(x)
        self.op(Split(3), (x,), (*outer, channels // 2), (*outer, channels // 2))
        first, second = self.ops[-1].outputs
        return first, second

    def fully_connected(self, x: TensorId, outputs: int) -> TensorId:
        *outer, inputs = self.shape(x)
        weights = self.tensor(f"w{len(self.tensors)}", (outputs, inputs), constant=True)
        return self.op(FullyConnected(CLAMP), (x, weights), (*outer, outputs))

    def graph(self, *outputs: TensorId, name: str = "test") -> Graph:
        return Graph(name, tuple(self.tensors), tuple(self.ops), tuple(self.inputs), outputs)


def window_shape(shape: tuple[int, ...], kernel: Pair, stride: Pair, padding: Padding) -> Pair:
    top, bottom, left, right = padding
    rows, cols = shape[1] + top + bottom - kernel[0], shape[2] + left + right - kernel[1]
    return rows // stride[0] + 1, cols // stride[1] + 1


def three_ops() -> Graph:
    """A convolution with stride, a depthwise one, a pointwise one: the start of every MobileNet."""
    b = Builder()
    x = b.conv(b.input(1, 16, 16, 3), 8, (3, 3), (2, 2), (0, 1, 0, 1))
    return b.graph(b.conv(b.depthwise(x, (3, 3), padding=(1, 1, 1, 1)), 16), name="three_ops")


@st.composite
def graphs(draw: st.DrawFn, max_ops: int = 8) -> Graph:
    """A graph of up to `max_ops` operators on small maps, with branches, views, unread inputs and many outputs."""
    b = Builder()
    maps = [b.input(1, draw(st.integers(1, 7)), draw(st.integers(1, 5)), draw(st.integers(1, 6)))]
    if draw(st.booleans()):
        maps.append(b.input(*b.shape(maps[0])))
    for _ in range(draw(st.integers(1, max_ops))):
        x = maps[draw(st.integers(max(0, len(maps) - 4), len(maps) - 1))]
        like = [t for t in maps if b.shape(t) == b.shape(x)]
        k, s = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        pads = (draw(st.integers(0, k)), draw(st.integers(0, k)), 1, 1)
        match draw(st.integers(0, 9)):
            case 0:
                maps.append(b.lookup(x))
            case 1 | 2:
                maps.append(b.add(x, draw(st.sampled_from(like))))
            case 3 | 4:
                maps.append(b.conv(x, draw(st.integers(1, 8))))
            case 5 if b.shape(x)[1] + pads[0] + pads[1] >= k:
                maps.append(b.conv(x, draw(st.integers(1, 8)), (k, 1), (s, 1), (pads[0], pads[1], 0, 0)))
            case 6 if b.shape(x)[1] + pads[0] + pads[1] >= k:
                maps.append(b.depthwise(x, (k, 1), (s, s), (pads[0], pads[1], 0, 0), draw(st.integers(1, 2))))
            case 7:
                maps.append(b.concat(x, draw(st.sampled_from(like))))
            case 8 if b.shape(x)[3] % 2 == 0:
                maps.extend(b.split(x))
            case _:
                _, rows, cols, channels = b.shape(x)
                maps.append(b.reshape(x, 1, cols, rows, channels))
    outputs = {maps[-1]} | draw(st.sets(st.sampled_from(maps), max_size=2))
    return b.graph(*sorted(outputs))
