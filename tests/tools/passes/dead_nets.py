"""Random small networks that are full of dead channels: weights that are zero, constants of any value, maps that nobody
reads, in front of every operator that a channel can go through."""

from __future__ import annotations

from typing import Any

import numpy as np
from graphs import quant

from tessera.ir import attrs as a
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.ir.shapes import same_padding, window_count
from tessera.ir.verify import verify_graph

WHOLE = (-128, 127)


class Net:
    """Grows by operators on any of its maps."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        size, channels = self.number(1, 7), self.number(1, 5)
        self.inputs = (self.tensor((1, size, self.number(1, 7), channels)),)
        self.maps = [self.inputs[0]]

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high))

    def one(self, *choices: Any) -> Any:
        return choices[self.number(0, len(choices))]

    def zero_point(self) -> int:
        return int(self.one(-128, 127, *self.rng.integers(-128, 128, 3)))

    def tensor(self, shape: tuple[int, ...], q: Quant | None = None, data: Any = None) -> TensorId:
        q = q or quant(self.zero_point(), float(self.rng.uniform(0.02, 0.1)))
        name, values = f"t{len(self.tensors)}", None if data is None else np.asarray(data, np.int8).reshape(shape)
        self.tensors.append(Tensor(name, shape, DType.INT8, q, values, source=len(self.tensors)))
        return TensorId(len(self.tensors) - 1)

    def int32(self, data: Any) -> TensorId:
        values = np.asarray(data, np.int32)
        self.tensors.append(Tensor(f"b{len(self.tensors)}", values.shape, DType.INT32, None, values))
        return TensorId(len(self.tensors) - 1)

    def op(self, attrs: a.Attrs, inputs: list[TensorId], *outputs: TensorId) -> TensorId:
        self.ops.append(Op(f"op{len(self.ops)}", attrs, tuple(inputs), outputs))
        return outputs[0]

    def shape(self, x: TensorId) -> tuple[int, ...]:
        return self.tensors[x].shape

    def q(self, x: TensorId) -> Quant:
        return self.tensors[x].q

    def clamp(self) -> tuple[int, int]:
        return self.one(WHOLE, WHOLE, (self.number(-128, 0), self.number(0, 128)))

    def window(self, x: TensorId) -> tuple[tuple[int, int], tuple[int, int], a.Padding, tuple[int, int]]:
        """(kernel, stride, padding, output size), SAME or VALID or unlike either."""
        _, height, width, _ = self.shape(x)
        kernel, stride = (
            (self.number(1, min(height, 3) + 1), self.number(1, min(width, 3) + 1)),
            self.one((1, 1), (2, 1)),
        )
        rows, cols = same_padding(height, kernel[0], stride[0]), same_padding(width, kernel[1], stride[1])
        padding = self.one((*rows, *cols), (0, 0, 0, 0), (self.number(0, kernel[0]), 0, 0, self.number(0, kernel[1])))
        size = (
            window_count(height, kernel[0], stride[0], *padding[:2]),
            window_count(width, kernel[1], stride[1], *padding[2:]),
        )
        return kernel, stride, padding, size

    def weighted(
        self, x: TensorId, shape: tuple[int, ...], axis: int, *, may_lack_bias: bool = False
    ) -> list[TensorId]:
        """Input, weights and bias, half of the output channels dead and some inputs of the others not used."""
        channels = shape[axis]
        values = self.rng.integers(-127, 128, shape)
        values[self.rng.random(shape) < self.one(0.1, 0.5, 0.8)] = 0
        by_output = np.moveaxis(values, axis, 0)
        by_output[self.rng.random(channels) < 0.5] = 0
        if axis == 0:
            values[..., self.rng.random(shape[-1]) < 0.2] = 0
        scales = self.rng.uniform(0.001, 0.02, channels).astype(np.float32)
        w = self.tensor(shape, Quant(scales, 0, axis) if self.one(True, False) else quant(0, 0.01), values)
        bias = np.where(self.rng.random(channels) < 0.3, 0, self.rng.integers(-9000, 9000, channels))
        bias[self.rng.random(channels) < 0.1] = -1_000_000  # always saturates: constant with weights too
        return [x, w] if may_lack_bias and self.one(True, False) else [x, w, self.int32(bias)]

    def conv2d(self, x: TensorId) -> TensorId:
        (k_h, k_w), stride, padding, size = self.window(x)
        inputs = self.weighted(x, (self.number(1, 10), k_h, k_w, self.shape(x)[3]), 0)
        out = self.tensor((1, *size, self.shape(inputs[1])[0]))
        return self.op(a.Conv2D(stride, padding, self.clamp()), inputs, out)

    def depthwise(self, x: TensorId) -> TensorId:
        (k_h, k_w), stride, padding, size = self.window(x)
        multiplier = self.one(1, 1, 2)
        inputs = self.weighted(x, (1, k_h, k_w, self.shape(x)[3] * multiplier), 3)
        out = self.tensor((1, *size, self.shape(inputs[1])[3]))
        return self.op(a.DepthwiseConv2D(stride, padding, self.clamp(), multiplier), inputs, out)

    def pool(self, x: TensorId) -> TensorId:
        kernel, stride, padding, size = self.window(x)
        out = self.tensor((1, *size, self.shape(x)[3]), self.q(x))
        kind = self.one(a.AvgPool2D, a.MaxPool2D)
        return self.op(kind(kernel, stride, padding, self.clamp()), [x], out)

    def pad(self, x: TensorId) -> TensorId:
        amounts = ((0, 0), (self.number(0, 3), 1), (0, self.number(0, 2)), self.one((0, 0), (0, 0), (2, 1)))
        shape = tuple(n + sum(more) for n, more in zip(self.shape(x), amounts, strict=True))
        value = self.one(self.q(x).zero_point, self.number(-128, 128))
        return self.op(a.Pad(amounts, value), [x], self.tensor(shape, self.q(x)))

    def lookup(self, x: TensorId) -> TensorId:
        table = self.rng.permutation(256) if self.one(True, False) else np.maximum(np.arange(256), 100)
        return self.op(a.Lookup(table.astype(np.uint8), "TANH"), [x], self.tensor(self.shape(x)))

    def elementwise(self, x: TensorId) -> TensorId:
        """With another map, a constant for each channel or one constant, or itself squeezed."""
        shape = self.shape(x)
        same = [m for m in self.maps if self.shape(m) == shape]
        constant = self.rng.integers(-128, 128, shape[3])
        other = self.one(
            lambda: self.one(*same),
            lambda: self.tensor((shape[3],), data=constant),
            lambda: self.tensor((), data=constant[0]),
            lambda: self.tensor(shape, data=self.rng.integers(-128, 128, shape)),
            lambda: self.mean(x),
        )()
        kind = self.one(a.Add, a.Sub, a.Mul)
        inputs = [x, other] if kind is a.Mul and self.one(True, False) else [other, x]
        return self.op(kind(self.clamp()), inputs, self.tensor(shape))

    def prelu(self, x: TensorId) -> TensorId:
        channels = self.shape(x)[3]
        alpha = self.tensor((1, 1, channels), data=self.rng.integers(-128, 128, channels))
        return self.op(a.PRelu(), [x, alpha], self.tensor(self.shape(x)))

    def mean(self, x: TensorId) -> TensorId:
        out = self.tensor((1, 1, 1, self.shape(x)[3]))
        return self.op(self.one(a.Mean((1, 2), True), a.MeanOfMeans(np.float32(0.05), self.zero_point())), [x], out)

    def concatenation(self, x: TensorId) -> TensorId:
        axis = self.one(1, 3, 3)
        fits = [
            m
            for m in self.maps
            if all(p == q for k, (p, q) in enumerate(zip(self.shape(m), self.shape(x), strict=True)) if k != axis)
        ]
        parts = [x, self.one(*fits)]
        shape = tuple(
            sum(self.shape(p)[3] for p in parts) if k == axis == 3 else n for k, n in enumerate(self.shape(x))
        )
        shape = tuple(sum(self.shape(p)[1] for p in parts) if k == axis == 1 else n for k, n in enumerate(shape))
        return self.op(a.Concatenation(axis), parts, self.tensor(shape))

    def split(self, x: TensorId) -> TensorId:
        axis = self.one(1, 2, 3)
        if self.shape(x)[axis] % 2:
            return x
        shape = tuple(n // 2 if k == axis else n for k, n in enumerate(self.shape(x)))
        halves = [self.tensor(shape, self.q(x)) for _ in range(2)]
        self.op(a.Split(axis), [x], *halves)
        self.maps.append(halves[1])
        return halves[0]

    def move(self, x: TensorId) -> TensorId:
        """TRANSPOSE, RESHAPE or STRIDED_SLICE of channels or of the map."""
        shape = self.shape(x)
        perm = self.one((0, 2, 1, 3), (0, 3, 1, 2))
        sliced = (1, 1, shape[2], self.one(shape[3], 1))
        attrs, new = self.one(
            (a.Transpose(perm), tuple(shape[p] for p in perm)),
            (a.Reshape(), (1, 1, shape[1], shape[2] * shape[3])),
            (a.Reshape(), (1, shape[1] * shape[3], shape[2], 1)),
            (a.StridedSlice((0, shape[1] - 1, 0, 0), (1, 1, 1, 1), sliced), sliced),
        )
        return self.op(attrs, [x], self.tensor(new, self.q(x)))

    def resize(self, x: TensorId) -> TensorId:
        _, height, width, channels = self.shape(x)
        kind = self.one(a.ResizeNearest, a.ResizeBilinear)
        return self.op(kind(False, False), [x], self.tensor((1, height * 2, width, channels), self.q(x)))

    def head(self, x: TensorId) -> TensorId:
        """FULLY_CONNECTED on the map as it is, or SOFTMAX."""
        if self.number(0, 4) == 0:
            return self.op(a.Softmax(1.0), [x], self.tensor(self.shape(x), quant(-128, 1 / 256)))
        count = self.number(1, 6)
        columns = self.one(self.shape(x)[3], int(np.prod(self.shape(x))))
        inputs = self.weighted(x, (count, columns), 0, may_lack_bias=True)
        rows = int(np.prod(self.shape(x))) // columns
        return self.op(a.FullyConnected(self.clamp()), inputs, self.tensor((rows, count)))


KINDS = (
    *[Net.conv2d] * 4,
    *[Net.depthwise] * 4,
    *(Net.pool, Net.pad, Net.lookup, Net.elementwise, Net.elementwise, Net.prelu, Net.mean, Net.concatenation),
    *(Net.split, Net.move, Net.resize),
)


def dead_net(seed: int) -> Graph:
    """Up to ten operators that may branch, and a head on each map that nobody else reads."""
    net = Net(seed)
    for _ in range(net.number(2, 11)):
        x = net.maps[-1] if net.number(0, 4) else net.one(*net.maps)
        if net.shape(x)[1] * net.shape(x)[2] * net.shape(x)[3] < 3000:
            net.maps.append(net.one(*KINDS)(net, x))
    read = {i for op in net.ops for i in op.inputs}
    ends = [i for i in dict.fromkeys(net.maps) if i not in read and i not in net.inputs] or [net.conv2d(net.maps[-1])]
    outputs = [net.head(i) if net.number(0, 5) else i for i in ends]
    graph = Graph(f"dead_{seed}", tuple(net.tensors), tuple(net.ops), net.inputs, tuple(outputs))
    verify_graph(graph)
    return graph
