"""Random networks that ask for every kernel of Armv7E-M, and for quantizations at the edges of what each can hold.

Each is a function of its seed. Shapes are those of small real networks: more channels and wider maps than networks.py,
blocks with residual sums and with squeeze-and-excite, heads with fully connected layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from networks import CLAMP, NO_PADDING, Network, same, window_shape
from numpy.typing import NDArray

from tessera.ir import attrs as ir
from tessera.ir.graph import DType, Graph, TensorId

MOST_MACS = 1_500_000  # of an operator
MOST_BYTES = 24 * 24 * 40  # of a map
KERNELS = ((1, 1), (1, 1), (3, 3), (3, 3), (5, 5), (7, 7), (2, 2), (1, 3), (3, 1), (10, 4), (4, 6), (7, 2))
SQUARES = ((3, 3), (3, 3), (5, 5), (7, 7))
EDGE_BITS = {False: (24, 24, 31), True: (31, 32)}  # of the sums that kernels hold, by depthwise: -2^(n-1) ..


class DspNetwork(Network):
    """`maps`: what the next operator may read."""

    maps: list[TensorId]

    def one(self, *choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def zero_point(self) -> int:
        return int(self.one(-128, -128, 127, *self.rng.integers(-128, 128, 4)))

    def unsigned_input(self, h: int, w: int, c: int) -> TensorId:
        """Made signed, as at the edge of a uint8 model."""
        t = self.input(h, w, c, DType.UINT8)
        x = self.tensors[t]
        self.tensors[t] = replace(x, quant=replace(x.q, zero_point=x.q.zero_point + 128))
        return self.flip(t)

    def conv(
        self,
        x: TensorId,
        channels: int,
        kernel: ir.Pair = (3, 3),
        stride: ir.Pair = (1, 1),
        padding: ir.Padding | None = None,
        depthwise: bool = False,
    ) -> TensorId:
        """With a quantization that is ordinary, has scales about 1, has large sums of small scales, or has sums that
        end where those of a kernel do."""
        shape, padding = self.shape(x), same(self.shape(x), kernel, stride) if padding is None else padding
        out_c = channels * shape[3] if depthwise else channels
        weights_shape = (1, *kernel, out_c) if depthwise else (out_c, *kernel, shape[3])
        kind = self.one("ordinary", "ordinary", "ordinary", "about one", "small scales", "edges")
        weights, zero_point = self._weights(weights_shape, 1 if kind == "about one" else 127)
        rows = np.moveaxis(weights, 3, 0).reshape(out_c, -1) if depthwise else weights.reshape(out_c, -1)
        bias = self._bias(rows.astype(np.int64) - zero_point, self.q(x).zero_point, kind, depthwise)
        deviation = 64 * np.sqrt(rows.shape[1]) * (0.7 if kind == "about one" else 70)
        ratios = 2.0 ** self.rng.uniform(-1.5, 1.5, 1 if zero_point else out_c)  # to the output's scale
        if kind == "about one":
            ratios *= self.one(0.25, 0.5, 1, 2)
        elif kind == "edges" and bias is not None:
            ratios = (
                ratios * 150 / (np.abs(bias) + deviation) if len(ratios) == out_c else ratios * 150 / np.abs(bias).max()
            )
        elif kind == "small scales":
            ratios *= 2.0 ** -float(self.rng.integers(10, 24))
        else:
            ratios *= self.one(20, 60, 90) / deviation
        if not zero_point and self.one(*range(6)) == 0:  # channels that say nothing, or nothing but -128 and 127
            ratios[self.rng.integers(out_c, size=2)] = 2.0 ** self.rng.uniform(-34, 3, 2)
        out_scale = float(self.q(x).scale) * 0.9
        scales = ratios * out_scale / float(self.q(x).scale)
        w = self.tensor(f"w_{len(self.ops)}", weights_shape, scales, zero_point, weights, 3 if depthwise else 0)
        inputs = [x, w]
        if bias is not None:
            scales_of_bias = scales * float(self.q(x).scale)
            inputs.append(self.tensor(f"b_{len(self.ops)}", (out_c,), scales_of_bias, 0, bias.astype(np.int32)))
        out_zero_point = self.zero_point()
        clamp = self._clamp(out_zero_point)
        legacy = zero_point != 0 and self.one(True, False)
        attrs: ir.Attrs = ir.Conv2D(stride, padding, clamp, legacy)
        if depthwise:
            attrs = ir.DepthwiseConv2D(stride, padding, clamp, channels, legacy)
        out = (1, *window_shape(shape, kernel, stride, padding), out_c)
        return self.op(attrs, inputs, out, out_scale, out_zero_point)

    def fully_connected(self, x: TensorId, channels: int) -> TensorId:
        """Of each pixel."""
        _, h, w, depth = self.shape(x)
        weights, zero_point = self._weights((channels, depth), 127)
        scales = 2.0 ** self.rng.uniform(-8, -6, channels if not zero_point else 1)
        large = self.one(2000, 2000, 2000, 1 << 22, 1 << 29)
        bias = self.rng.integers(-large, large, channels).astype(np.int32)
        out_scale = float(self.q(x).scale) * float(scales.mean()) * 60 * float(np.sqrt(depth)) * self.one(1, 1, 0.3, 8)
        t = self.tensor(f"w_{len(self.ops)}", weights.shape, scales, zero_point, weights)
        b = self.tensor(f"b_{len(self.ops)}", (channels,), scales * float(self.q(x).scale), 0, bias)
        out_zero_point = self.zero_point()
        attrs = ir.FullyConnected(self._clamp(out_zero_point))
        return self.op(attrs, (x, t, b), (h * w, channels), out_scale, out_zero_point)

    def two(self, kind: type[ir.Add | ir.Sub | ir.Mul], a: TensorId, b: TensorId) -> TensorId:
        x, y = float(self.q(a).scale), float(self.q(b).scale)
        scale = x * 30 * y if kind is ir.Mul else max(x, y) * 1.5
        scale *= self.one(1, 1, 1, 1, 2.0 ** float(self.rng.uniform(-9, 14)))
        zero_point = self.zero_point()
        shape = np.broadcast_shapes(self.shape(a), self.shape(b))
        return self.op(kind(self._clamp(zero_point)), (a, b), shape, scale, zero_point)

    def rescaled(self, x: TensorId) -> TensorId:
        """A lookup whose output has another scale, so that sums have operands of unlike ones."""
        table = self.rng.integers(0, 256, 256).astype(np.uint8)
        scale = float(self.q(x).scale) * 2.0 ** float(self.rng.uniform(-7, 7))
        return self.op(ir.Lookup(table, "TANH"), (x,), self.shape(x), scale)

    def flip(self, x: TensorId) -> TensorId:
        """The other sign bit."""
        table = (np.arange(256) ^ 0x80).astype(np.uint8)
        return self.op(ir.Lookup(table, "QUANTIZE"), (x,), self.shape(x), float(self.q(x).scale))

    def average_pool(self, x: TensorId, kernel: ir.Pair, stride: ir.Pair, padding: ir.Padding) -> TensorId:
        """Also as uint8 models round."""
        shape = self.shape(x)
        out = (1, *window_shape(shape, kernel, stride, padding), shape[3])
        attrs = ir.AvgPool2D(kernel, stride, padding, self.one(CLAMP, (-90, 80)), self.one(0, -128))
        return self.op(attrs, (x,), out, float(self.q(x).scale), self.q(x).zero_point)

    def _weights(self, shape: tuple[int, ...], most: int) -> tuple[NDArray[np.int8], int]:
        """(weights, zero point): of a uint8 model with one; of one sign by channel; with some -128."""
        weights = self.rng.integers(-most, most + 1, shape)
        match self.one(*range(10)):
            case 0:
                return self.rng.integers(-128, 128, shape).astype(np.int8), int(self.one(-128, -20, -1, 3, 127))
            case 1:
                weights = np.where(self.rng.integers(0, 2, shape[:1] + (1,) * (len(shape) - 1)), most, -most)
                weights = np.broadcast_to(weights, shape)
            case 2:
                weights[self.rng.random(shape) < 0.1] = -128
            case 3:
                weights = np.where(self.rng.random(shape) < 0.8, 0, weights)
        return weights.astype(np.int8), 0

    def _bias(self, rows: NDArray[Any], zero_point: int, kind: str, depthwise: bool) -> NDArray[Any] | None:
        """[channels] for weights [channels, taps]"""
        least, most = (
            f(rows * (-128 - zero_point), rows * (127 - zero_point)).sum(axis=1) for f in (np.minimum, np.maximum)
        )
        ordinary = self.rng.integers(-2000, 2000, len(rows))
        if kind == "small scales":
            return self.rng.integers(-(1 << 22), 1 << 22, len(rows))
        if kind == "edges":
            limit = 1 << (self.one(*EDGE_BITS[depthwise]) - 1)
            upper = limit - 1 - most  # the greatest sum is the last one that fits
            lower = -limit - least
            beyond = self.one(0, 0, 1)  # by one
            chosen = np.where(self.rng.integers(0, 2, len(rows)), upper + beyond, lower - beyond)
            some = self.rng.random(len(rows)) < self.one(0.2, 1)
            in_32_bits = (least + chosen > -(1 << 31)) & (most + chosen < (1 << 31) - 1)
            return np.where(some & in_32_bits, chosen, ordinary)
        if kind == "about one":
            return ordinary // 100
        return None if self.one(*range(8)) == 0 else ordinary

    def _clamp(self, zero_point: int) -> ir.Clamp:
        low, high = int(self.rng.integers(-128, 0)), int(self.rng.integers(0, 128))
        six = (min(zero_point, 37), min(zero_point, 37) + 90)
        clamps = (CLAMP, CLAMP, CLAMP, (min(zero_point, 37), 127), six, (low, high), (zero_point, zero_point))
        return clamps[self.rng.integers(len(clamps))]


def draw_network(seed: int, name: str = "net") -> Graph:
    n = DspNetwork(seed)
    image = n.unsigned_input if n.one(*range(8)) == 0 else n.input
    n.maps = [image(*_sizes(n), n.one(1, 3, 3, 4, int(n.rng.integers(1, 41))))]
    if n.one(0, 1):
        n.maps.append(n.conv(n.maps[0], _channels(n), (3, 3), n.one((1, 1), (2, 2))))
    for _ in range(int(n.rng.integers(2, 8))):
        x = n.maps[-1] if n.one(0, 0, 1) else n.one(*n.maps[-3:])
        made = n.one(*PIECES)(n, x)
        if made is not None:
            n.maps.append(made)
    if len(n.maps) == 1:
        n.maps.append(n.rescaled(n.maps[-1]))
    outputs = {n.maps[-1]} | ({n.one(*n.maps[1:])} if len(n.maps) > 2 and n.one(0, 0, 1) else set())
    if n.one(0, 0, 1):
        outputs = (outputs - {n.maps[-1]}) | {n.fully_connected(n.maps[-1], int(n.rng.integers(1, 40)))}
    return n.graph(*sorted(outputs), name=name)


def _sizes(n: DspNetwork) -> tuple[int, int]:
    most = n.one(6, 12, 24)
    return int(n.rng.integers(1, most + 1)), int(n.rng.integers(1, most + 1))


def _channels(n: DspNetwork) -> int:
    return int(n.one(1, 2, 4, 8, 16, n.rng.integers(1, 41), n.rng.integers(1, 41)))


def _window(n: DspNetwork, x: TensorId, kernels: tuple[ir.Pair, ...]) -> tuple[ir.Pair, ir.Pair, ir.Padding]:
    """(kernel, stride, padding): as SAME has it, none where the window fits, or any that leaves a tap on the map."""
    _, h, w, _ = n.shape(x)
    kernel = n.one(*kernels)
    stride = n.one((1, 1), (1, 1), (2, 2), (2, 2), (1, 2), (2, 1), (3, 3), (3, 1))
    top, bottom, left, right = (int(n.rng.integers(0, k)) for k in (kernel[0], kernel[0], kernel[1], kernel[1]))
    if n.one(0, 1) and h + top + bottom >= kernel[0] and w + left + right >= kernel[1]:
        return kernel, stride, (top, bottom, left, right)
    fits = h >= kernel[0] and w >= kernel[1]
    return kernel, stride, NO_PADDING if fits and n.one(0, 1) else same(n.shape(x), kernel, stride)


def _conv(n: DspNetwork, x: TensorId) -> TensorId | None:
    kernel, stride, padding = _window(n, x, KERNELS)
    channels = _channels(n)
    h, w = window_shape(n.shape(x), kernel, stride, padding)
    macs = h * w * channels * kernel[0] * kernel[1] * n.shape(x)[3]
    return n.conv(x, channels, kernel, stride, padding) if macs <= MOST_MACS and h * w <= MOST_BYTES // 40 else None


def _pointwise(n: DspNetwork, x: TensorId) -> TensorId:
    return n.conv(x, _channels(n), (1, 1))


def _depthwise(n: DspNetwork, x: TensorId) -> TensorId | None:
    kernel, stride, padding = _window(n, x, n.one(SQUARES, SQUARES, KERNELS))
    channels = n.shape(x)[3]
    multiplier = n.one(1, 1, 1, 2, 3) if channels <= 13 else 1
    h, w = window_shape(n.shape(x), kernel, stride, padding)
    if h * w * channels * multiplier > MOST_BYTES:
        return None
    return n.depthwise(x, kernel, stride, padding, multiplier)


def _pool(n: DspNetwork, x: TensorId) -> TensorId | None:
    kernel, stride, padding = _window(n, x, (*KERNELS, (17, 16)))
    h, w = window_shape(n.shape(x), kernel, stride, padding)
    if h * w * kernel[0] * kernel[1] * n.shape(x)[3] > MOST_MACS or _has_empty_windows(
        n.shape(x), kernel, stride, padding
    ):
        return None
    if n.one(0, 1):
        return n.average_pool(x, kernel, stride, padding)
    shape = (1, h, w, n.shape(x)[3])
    attrs = ir.MaxPool2D(kernel, stride, padding, n.one(CLAMP, (-90, 80)))
    return n.op(attrs, (x,), shape, float(n.q(x).scale), n.q(x).zero_point)


def _has_empty_windows(shape: tuple[int, ...], kernel: ir.Pair, stride: ir.Pair, padding: ir.Padding) -> bool:
    """A pool has no value there."""
    counts = window_shape(shape, kernel, stride, padding)
    lasts = [(count - 1) * s - p for count, s, p in zip(counts, stride, padding[::2], strict=True)]
    firsts = [k - p for k, p in zip(kernel, padding[::2], strict=True)]
    return min(firsts) <= 0 or lasts[0] >= shape[1] or lasts[1] >= shape[2]


def _two(n: DspNetwork, x: TensorId) -> TensorId:
    kind = n.one(ir.Add, ir.Add, ir.Sub, ir.Mul)
    other = n.one(*(t for t in n.maps if n.shape(t) == n.shape(x)), n.vector(n.shape(x)[3]), n.vector(1))
    if n.one(0, 0, 1):
        other = n.rescaled(x)
    return n.two(kind, *n.one((x, other), (other, x)))


def _inverted_residual(n: DspNetwork, x: TensorId) -> TensorId | None:
    """Expansion, depthwise convolution, sometimes squeeze-and-excite, projection, sometimes the sum with x."""
    channels, (_, height, width, depth) = int(n.rng.integers(4, 41)), n.shape(x)
    if height * width * channels > MOST_BYTES:
        return None
    kernel, stride = n.one(*SQUARES), n.one((1, 1), (1, 1), (2, 2))
    y = n.depthwise(n.conv(x, channels, (1, 1)), kernel, stride)
    if n.one(0, 1):
        y = _excited(n, y)
    y = n.conv(y, depth if n.one(0, 1) else _channels(n), (1, 1))
    return n.two(ir.Add, y, x) if n.shape(x) == n.shape(y) else y


def _excited(n: DspNetwork, x: TensorId) -> TensorId:
    average = n.one(n.mean, n.mean_of_means, n.average)(x)
    hidden = n.conv(average, int(n.rng.integers(1, 12)), (1, 1))
    return n.two(ir.Mul, x, n.rescaled(n.conv(hidden, n.shape(x)[3], (1, 1))))


def _squeeze_and_excite(n: DspNetwork, x: TensorId) -> TensorId:
    return _excited(n, x)


def _concat(n: DspNetwork, x: TensorId) -> TensorId | None:
    others = [t for t in n.maps if n.shape(t)[:3] == n.shape(x)[:3]]
    chosen = [n.one(*others) for _ in range(int(n.one(1, 2)))]
    return n.concat(x, *chosen) if n.shape(x)[3] + sum(n.shape(t)[3] for t in chosen) <= 40 else None


def _other(n: DspNetwork, x: TensorId) -> TensorId | None:
    """What has no kernels of its own."""
    _, h, w, c = n.shape(x)
    match n.one(*range(6)):
        case 0:
            return n.prelu(x)
        case 1:
            return n.softmax(x)
        case 2:
            return n.pad(x, *n.rng.integers(0, 4, 4).tolist()) if (h + 6) * (w + 6) * c <= MOST_BYTES else None
        case 3 | 4:
            factor = n.one((1, 2), (2, 2), (2, 1))
            if h * w * c * factor[0] * factor[1] > MOST_BYTES:
                return None
            corners, half = n.one((False, False), (True, False), (False, True))
            return n.resize(n.one(ir.ResizeNearest, ir.ResizeBilinear), x, factor, corners, half)
        case _:
            return n.flip(x)


Piece = Callable[[DspNetwork, TensorId], TensorId | None]
PIECES: tuple[Piece, ...] = (
    *(_conv, _conv, _conv, _pointwise, _pointwise, _depthwise, _depthwise, _depthwise),
    *(_pool, _two, _two, _inverted_residual, _inverted_residual, _squeeze_and_excite, _concat, _other),
)


def draw_bytes(graph: Graph, rng: np.random.Generator) -> list[NDArray[Any]]:
    """Any bytes, some times only the least and the greatest, or one of them: then sums are the largest ones."""
    some = [*6 * [range(256)], *2 * [(0, 127, 128, 255)], (127,), (128,)][rng.integers(10)]
    arrays = []
    for t in (graph.tensor(t) for t in graph.inputs):
        values = rng.choice(some, t.shape)
        arrays.append(values.astype(np.uint8).view(t.dtype.numpy))
    return arrays
