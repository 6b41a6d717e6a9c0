"""Small quantised networks with random weights, of every operator that streams: by hand, or drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tessera.ir import attrs as ir
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.ir.shapes import same_padding, window_count
from tessera.ir.verify import verify_graph

CLAMP = (-128, 127)
NO_PADDING = (0, 0, 0, 0)


def same(shape: tuple[int, ...], kernel: ir.Pair, stride: ir.Pair) -> ir.Padding:
    return (*same_padding(shape[1], kernel[0], stride[0]), *same_padding(shape[2], kernel[1], stride[1]))


class Network:
    """Collects tensors and operators; every method returns the output's id. Outputs use the range of int8."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors: list[Tensor] = []
        self.ops: list[Op] = []
        self.inputs: list[TensorId] = []

    def tensor(
        self, name: str, shape: tuple[int, ...], scale: Any, zero_point: int, data: Any = None, axis: int = 0
    ) -> TensorId:
        dtype = DType.INT32 if data is not None and data.dtype == np.int32 else DType.INT8
        quant = Quant(np.atleast_1d(np.asarray(scale, np.float32)), zero_point, axis)
        self.tensors.append(Tensor(name, shape, dtype, quant, data))
        return TensorId(len(self.tensors) - 1)

    def input(self, h: int, w: int, c: int, dtype: DType = DType.INT8) -> TensorId:
        t = self.tensor(f"input_{len(self.inputs)}", (1, h, w, c), 0.05, self.zero_point())
        self.tensors[t] = Tensor(self.tensors[t].name, self.tensors[t].shape, dtype, self.tensors[t].quant)
        self.inputs.append(t)
        return t

    def zero_point(self) -> int:
        return int(self.rng.choice([-128, 127, self.rng.integers(-128, 128)]))

    def op(
        self,
        attrs: ir.Attrs,
        inputs: Sequence[TensorId],
        shape: tuple[int, ...],
        scale: float | None = None,
        zero_point: int | None = None,
    ) -> TensorId:
        name = f"{type(attrs).__name__.lower()}_{len(self.ops)}"
        scale = float(self.q(inputs[0]).scale) * float(2 ** self.rng.uniform(-0.5, 0.8)) if scale is None else scale
        out = self.tensor(name, shape, scale, self.zero_point() if zero_point is None else zero_point)
        self.ops.append(Op(name, attrs, tuple(inputs), (out,)))
        return out

    def shape(self, x: TensorId) -> tuple[int, ...]:
        return self.tensors[x].shape

    def q(self, x: TensorId) -> Quant:
        return self.tensors[x].q

    def conv(
        self,
        x: TensorId,
        channels: int,
        kernel: ir.Pair = (3, 3),
        stride: ir.Pair = (1, 1),
        padding: ir.Padding | None = None,
        depthwise: bool = False,
    ) -> TensorId:
        """`channels` of a depthwise convolution are for each channel of x. SAME where no padding is given."""
        shape = self.shape(x)
        padding = same(shape, kernel, stride) if padding is None else padding
        out_c = channels * shape[3] if depthwise else channels
        weights_shape = (1, *kernel, out_c) if depthwise else (out_c, *kernel, shape[3])
        data = self.rng.integers(-127, 128, weights_shape).astype(np.int8)
        scales = 2.0 ** self.rng.uniform(-8, -6, out_c)
        w = self.tensor(f"w_{len(self.ops)}", weights_shape, scales, 0, data, 3 if depthwise else 0)
        bias = self.rng.integers(-2000, 2000, out_c).astype(np.int32)
        b = self.tensor(f"b_{len(self.ops)}", (out_c,), scales * float(self.q(x).scale), 0, bias)
        fan = kernel[0] * kernel[1] * (1 if depthwise else shape[3])
        scale = float(self.q(x).scale) * float(scales.mean()) * 60 * float(np.sqrt(fan))
        attrs: ir.Attrs = ir.Conv2D(stride, padding, CLAMP)
        if depthwise:
            attrs = ir.DepthwiseConv2D(stride, padding, CLAMP, channels)
        out = (1, *window_shape(shape, kernel, stride, padding), out_c)
        return self.op(attrs, (x, w, b), out, scale)

    def depthwise(
        self,
        x: TensorId,
        kernel: ir.Pair = (3, 3),
        stride: ir.Pair = (1, 1),
        padding: ir.Padding | None = None,
        multiplier: int = 1,
    ) -> TensorId:
        return self.conv(x, multiplier, kernel, stride, padding, depthwise=True)

    def pool(
        self,
        kind: type[ir.AvgPool2D | ir.MaxPool2D],
        x: TensorId,
        kernel: ir.Pair,
        stride: ir.Pair,
        padded: bool = True,
    ) -> TensorId:
        shape = self.shape(x)
        padding = same(shape, kernel, stride) if padded else NO_PADDING
        out = (1, *window_shape(shape, kernel, stride, padding), shape[3])
        return self.op(
            kind(kernel, stride, padding, (-100, 90)), (x,), out, float(self.q(x).scale), self.q(x).zero_point
        )

    def two(self, kind: type[ir.Add | ir.Sub | ir.Mul], a: TensorId, b: TensorId) -> TensorId:
        scale = float(self.q(a).scale) * (30 * float(self.q(b).scale) if kind is ir.Mul else 1.5)
        return self.op(kind(CLAMP), (a, b), np.broadcast_shapes(self.shape(a), self.shape(b)), scale)

    def prelu(self, x: TensorId) -> TensorId:
        return self.op(ir.PRelu(), (x, self.vector(self.shape(x)[3], rank=3)), self.shape(x))

    def vector(self, size: int, rank: int = 1) -> TensorId:
        """A constant of `size` channels."""
        shape = (1,) * (rank - 1) + (size,)
        data = self.rng.integers(-128, 128, shape).astype(np.int8)
        return self.tensor(f"constant_{len(self.tensors)}", shape, 0.02, self.zero_point(), data)

    def lookup(self, x: TensorId) -> TensorId:
        table = self.rng.integers(0, 256, 256).astype(np.uint8)
        return self.op(ir.Lookup(table, "TANH"), (x,), self.shape(x), 0.05)

    def softmax(self, x: TensorId) -> TensorId:
        return self.op(ir.Softmax(1.0), (x,), self.shape(x), 1 / 256, -128)

    def concat(self, *xs: TensorId) -> TensorId:
        shape = self.shape(xs[0])
        out = (*shape[:3], sum(self.shape(x)[3] for x in xs))
        return self.op(ir.Concatenation(3), xs, out, float(self.q(xs[0]).scale), self.q(xs[0]).zero_point)

    def pad(self, x: TensorId, top: int, bottom: int, left: int, right: int) -> TensorId:
        _, h, w, c = self.shape(x)
        amounts = ((0, 0), (top, bottom), (left, right), (0, 0))
        attrs = ir.Pad(amounts, int(self.rng.integers(-128, 128)))
        return self.op(attrs, (x,), (1, h + top + bottom, w + left + right, c), float(self.q(x).scale))

    def resize(
        self, kind: type[ir.ResizeNearest | ir.ResizeBilinear], x: TensorId, factor: ir.Pair, corners: bool, half: bool
    ) -> TensorId:
        _, h, w, c = self.shape(x)
        out = (1, h * factor[0], w * factor[1], c)
        return self.op(kind(corners, half), (x,), out, float(self.q(x).scale), self.q(x).zero_point)

    def mean(self, x: TensorId) -> TensorId:
        return self.op(ir.Mean((1, 2), True), (x,), (1, 1, 1, self.shape(x)[3]), float(self.q(x).scale) / 2)

    def mean_of_means(self, x: TensorId) -> TensorId:
        attrs = ir.MeanOfMeans(np.float32(float(self.q(x).scale) / 1.7), self.zero_point())
        return self.op(attrs, (x,), (1, 1, 1, self.shape(x)[3]), float(self.q(x).scale) / 2)

    def average(self, x: TensorId) -> TensorId:
        _, h, w, c = self.shape(x)
        attrs = ir.AvgPool2D((h, w), (1, 1), NO_PADDING, CLAMP)
        return self.op(attrs, (x,), (1, 1, 1, c), float(self.q(x).scale), self.q(x).zero_point)

    def graph(self, *outputs: TensorId, name: str = "net") -> Graph:
        graph = Graph(name, tuple(self.tensors), tuple(self.ops), tuple(self.inputs), outputs)
        verify_graph(graph)
        return graph


def window_shape(shape: tuple[int, ...], kernel: ir.Pair, stride: ir.Pair, padding: ir.Padding) -> ir.Pair:
    top, bottom, left, right = padding
    return (
        window_count(shape[1], kernel[0], stride[0], top, bottom),
        window_count(shape[2], kernel[1], stride[1], left, right),
    )


def draw_inputs(graph: Graph, seed: int) -> list[NDArray[Any]]:
    rng = np.random.default_rng(seed)
    return [
        rng.integers(0, 256, graph.tensor(t).shape).astype(np.uint8).view(graph.tensor(t).dtype.numpy)
        for t in graph.inputs
    ]


@st.composite
def networks(draw: st.DrawFn, most_ops: int = 7) -> Graph:
    """Branches, residual sums, strides 1-3, kernels 1-7, odd sizes, squeeze and excite, resizes, several outputs."""
    n = Network(draw(st.integers(0, 1 << 16)))
    maps = [n.input(draw(st.integers(1, 11)), draw(st.integers(1, 11)), draw(st.integers(1, 5)))]
    for _ in range(draw(st.integers(2, most_ops))):
        x = maps[draw(st.integers(max(0, len(maps) - 3), len(maps) - 1))]
        maps.append(_grow(draw, n, x, maps))
    outputs = {maps[-1]} | draw(st.sets(st.sampled_from(maps[1:]), max_size=1))
    return n.graph(*sorted(outputs))


def _grow(draw: st.DrawFn, n: Network, x: TensorId, maps: list[TensorId]) -> TensorId:
    """One more operator, or a block of some, on x."""
    _, h, w, _ = n.shape(x)
    like = [t for t in maps if n.shape(t) == n.shape(x)]
    kernel = (draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    fits = kernel[0] <= h and kernel[1] <= w
    padding = NO_PADDING if fits and draw(st.booleans()) else None
    match draw(st.integers(0, 14)):
        case 0 | 1:
            return n.conv(x, draw(st.integers(1, 6)), kernel, stride, padding)
        case 2 | 3:
            return n.depthwise(x, kernel, stride, padding, draw(st.integers(1, 2)))
        case 4:
            return n.conv(x, draw(st.integers(1, 6)), (1, 1))
        case 5 | 6:
            return n.two(draw(st.sampled_from((ir.Add, ir.Sub, ir.Mul))), x, draw(st.sampled_from(like)))
        case 7:
            return n.concat(x, *draw(st.lists(st.sampled_from(like), min_size=1, max_size=3)))
        case 8:
            return n.pool(draw(st.sampled_from((ir.AvgPool2D, ir.MaxPool2D))), x, kernel, stride, padding is None)
        case 9 | 10:
            reduction = draw(st.sampled_from((n.mean_of_means, n.mean, n.average)))
            return n.two(ir.Mul, x, n.lookup(n.conv(reduction(x), n.shape(x)[3], (1, 1))))
        case 11:
            resize = draw(st.sampled_from((ir.ResizeNearest, ir.ResizeBilinear)))
            corners, half = draw(st.sampled_from(((False, False), (True, False), (False, True))))
            factor = (draw(st.integers(1, 2)), draw(st.integers(1, 3)))
            return n.resize(resize, x, factor, corners, half)
        case 12:
            return n.pad(x, *(draw(st.integers(0, 3)) for _ in range(4)))
        case 13:
            return n.prelu(x)
        case _:
            return draw(st.sampled_from((n.lookup, n.softmax)))(x)
