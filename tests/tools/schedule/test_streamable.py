"""What a span is said to see, against what it does see: disturb one pixel of the input, look which outputs change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import NO_PADDING, Network, draw_inputs
from numpy.typing import NDArray
from small_graphs import Builder

from tessera.interpreter.run import run
from tessera.ir import attrs as ir
from tessera.ir.graph import DType, Graph, Op, TensorId
from tessera.schedule.streamable import MAX_SOURCES, ONE_TO_ONE, Axis, Source, Upsample, Window, streamable

Seen = NDArray[np.bool_]  # [output rows, output columns, input rows, input columns]


def seen_by(axis: Axis, row: int, size: int) -> range:
    """Rows of the input, of which there are `size`, that a row of the output sees."""
    if isinstance(axis, Upsample):
        low, high = row // axis.factor + axis.low, row // axis.factor + axis.high + 1
    else:
        low, high = row * axis.stride - axis.pad, row * axis.stride - axis.pad + axis.kernel
    return range(max(0, low), min(size, high))


def said(source: Source, out: tuple[int, ...], x: tuple[int, ...]) -> Seen:
    assert source.rows is not None
    assert source.cols is not None
    seen = np.zeros((*out[1:3], *x[1:3]), bool)
    for i in range(out[1]):
        for j in range(out[2]):
            for y in seen_by(source.rows, i, x[1]):
                for col in seen_by(source.cols, j, x[2]):
                    seen[i, j, y, col] = True
    return seen


def measured(graph: Graph, tensor: TensorId) -> Seen:
    """`graph` has one operator; all bytes of a pixel of `tensor` are turned round several times."""
    inputs = dict(zip(graph.inputs, draw_inputs(graph, 3), strict=True))
    out, x = graph.tensor(graph.outputs[0]), graph.tensor(tensor)
    seen = np.zeros((*out.shape[1:3], *x.shape[1:3]), bool)
    for seed in range(2):
        rest = np.random.default_rng(seed).integers(-128, 128, x.shape).astype(np.int8)
        for fill in (rest, np.full_like(rest, -128), np.full_like(rest, 127)):
            before = value(graph, inputs | {tensor: fill})
            for y, col in np.ndindex(x.shape[1:3]):
                for byte in (-128, 0, 127):
                    other = fill.copy()
                    other[0, y, col] = byte
                    changed = (value(graph, inputs | {tensor: other}) != before).any(axis=(0, 3))
                    seen[:, :, y, col] |= changed
    return seen


def value(graph: Graph, inputs: dict[TensorId, NDArray[Any]]) -> NDArray[Any]:
    result = run(graph, inputs)[graph.outputs[0]]
    assert result is not None
    return result


class Plain(Network):
    """No extreme zero points: a byte that changes is not lost in saturation."""

    def zero_point(self) -> int:
        return 3


def windows(draw: st.DrawFn, h: int, w: int) -> tuple[ir.Pair, ir.Pair, ir.Padding]:
    kernel = (draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 2)))
    tight = kernel[0] <= h and kernel[1] <= w
    padding = (draw(st.integers(0, kernel[0] - 1)), kernel[0] - 1, draw(st.integers(0, kernel[1] - 1)), kernel[1] - 1)
    return kernel, stride, NO_PADDING if tight and draw(st.booleans()) else padding


def convolution(draw: st.DrawFn, n: Network) -> TensorId:
    h, w = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    kernel, stride, padding = windows(draw, h, w)
    return n.conv(n.input(h, w, 2), 3, kernel, stride, padding)


def depthwise(draw: st.DrawFn, n: Network) -> TensorId:
    h, w = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    kernel, stride, padding = windows(draw, h, w)
    return n.conv(n.input(h, w, 2), draw(st.integers(1, 2)), kernel, stride, padding, depthwise=True)


def pool(draw: st.DrawFn, n: Network) -> TensorId:
    h, w = draw(st.integers(2, 7)), draw(st.integers(2, 6))
    kind = draw(st.sampled_from((ir.AvgPool2D, ir.MaxPool2D)))
    return n.pool(kind, n.input(h, w, 2), (2, draw(st.integers(1, 2))), (draw(st.integers(1, 3)), 2), False)


def upsampling(draw: st.DrawFn, n: Network) -> TensorId:
    kind = draw(st.sampled_from((ir.ResizeNearest, ir.ResizeBilinear)))
    factor = (draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    corners, half = draw(st.sampled_from(((False, False), (True, False), (False, True))))
    return n.resize(kind, n.input(draw(st.integers(1, 5)), draw(st.integers(1, 4)), 1), factor, corners, half)


def padded(draw: st.DrawFn, n: Network) -> TensorId:
    return n.pad(n.input(draw(st.integers(1, 4)), 3, 2), *(draw(st.integers(0, 2)) for _ in range(4)))


def sum_of_two(draw: st.DrawFn, n: Network) -> TensorId:
    kind = draw(st.sampled_from((ir.Add, ir.Sub, ir.Mul)))
    return n.two(kind, n.input(3, 2, 2), n.input(3, 2, 2))


def scaled(draw: st.DrawFn, n: Network) -> TensorId:
    """By a vector of the channels, first or second, constant or not."""
    x = n.input(3, 2, 2)
    vector = n.vector(2, rank=draw(st.sampled_from((1, 4)))) if draw(st.booleans()) else n.input(1, 1, 2)
    operands = (x, vector) if draw(st.booleans()) else (vector, x)
    return n.two(draw(st.sampled_from((ir.Add, ir.Mul))), *operands)


def pixel_by_pixel(draw: st.DrawFn, n: Network) -> TensorId:
    x = n.input(3, 4, 3)
    return draw(st.sampled_from((n.lookup, n.softmax, n.prelu)))(x)


def joined(draw: st.DrawFn, n: Network) -> TensorId:
    return n.concat(*(n.input(3, 2, c) for c in draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))))


@pytest.mark.parametrize(
    ("make", "exact"),
    [
        (convolution, True),
        (depthwise, True),
        (pool, True),
        (upsampling, False),  # the same offsets for every row: some see a row more than they need
        (padded, True),
        (sum_of_two, True),
        (scaled, True),
        (pixel_by_pixel, True),
        (joined, True),
    ],
)
def test_a_pixel_sees_what_is_said(make: Callable[[st.DrawFn, Network], TensorId], exact: bool) -> None:
    @st.composite
    def cases(draw: st.DrawFn) -> Graph:
        n = Plain(draw(st.integers(0, 99)))
        return n.graph(make(draw, n))

    @settings(max_examples=12, deadline=None)
    @given(cases())
    def check(graph: Graph) -> None:
        op = graph.ops[0]
        described = streamable(graph, op)
        out = graph.tensor(op.outputs[0]).shape
        if out[1:3] == (1, 1):
            assert described is None or described.reduces
            return
        if isinstance(op.attrs, ir.AvgPool2D) and described is not None and described.reduces:
            return
        assert described is not None
        assert [s.tensor for s in described.sources] == list(op.inputs[: len(described.sources)])
        for source in described.sources:
            tensor = graph.tensor(source.tensor)
            if source.rows is None:
                assert source.cols is None
                assert tensor.size in (1, out[3])
                continue
            need, see = measured(graph, source.tensor), said(source, out, tensor.shape)
            assert not (need & ~see).any()
            if exact and isinstance(op.attrs, ir.Conv2D | ir.DepthwiseConv2D | ir.AvgPool2D | ir.MaxPool2D):
                rows, cols = need.any(axis=(1, 3)), need.any(axis=(0, 2))
                assert np.array_equal(rows, see.any(axis=(1, 3)))
                assert np.array_equal(cols, see.any(axis=(0, 2)))
            elif exact:
                assert np.array_equal(need, see)

    check()


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", [ir.ResizeNearest, ir.ResizeBilinear])
def test_every_offset_of_an_enlargement_is_needed(
    kind: type[ir.ResizeNearest | ir.ResizeBilinear], factor: int
) -> None:
    """Some row in the middle sees the first, some the last of what every row is said to see."""
    for half in (False, True):
        n = Network()
        graph = n.graph(n.resize(kind, n.input(7, 6, 1), (factor, factor), False, half))
        described = streamable(graph, graph.ops[0])
        assert described is not None
        source = described.sources[0]
        need = measured(graph, source.tensor).any(axis=(1, 3))
        assert isinstance(source.rows, Upsample)
        offsets = {y - i // factor for i, y in zip(*np.nonzero(need), strict=True)}
        assert (min(offsets), max(offsets)) == (source.rows.low, source.rows.high)


@pytest.mark.parametrize("make", ["mean", "mean_of_means", "average"])
def test_means_over_a_map_reduce_it(make: str) -> None:
    n = Network()
    x = n.input(5, 4, 3)
    graph = n.graph(getattr(n, make)(x))
    described = streamable(graph, graph.ops[0])
    assert described is not None
    assert described.reduces
    assert described.sources == (Source(x, ONE_TO_ONE, ONE_TO_ONE),)


def test_a_mean_without_its_unit_axes_reduces() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 6)
    assert described_last(b, b.op(ir.Mean((1, 2), False), (x,), (1, 6))) == "reduces"


def refused() -> Iterator[tuple[str, Builder, TensorId]]:
    b = Builder()
    yield "mean over rows only", b, b.op(ir.Mean((1,), True), (b.input(1, 4, 4, 2),), (1, 1, 4, 2))
    b = Builder()
    yield "mean over channels", b, b.op(ir.Mean((3,), True), (b.input(1, 4, 4, 2),), (1, 4, 4, 1))
    b = Builder()
    yield "mean of a batch", b, b.op(ir.Mean((1, 2), True), (b.input(2, 4, 4, 2),), (2, 1, 1, 2))
    b = Builder()
    yield "batch", b, b.lookup(b.input(2, 4, 4, 2))
    b = Builder()
    yield "matrix", b, b.lookup(b.input(4, 2))
    b = Builder()
    yield "one pixel", b, b.conv(b.input(1, 1, 1, 8), 4)
    b = Builder()
    yield "pool to one pixel, padded", b, b.pool(b.input(1, 3, 3, 2), (5, 5), (1, 1), (1, 1, 1, 1))
    b = Builder()
    yield "fully connected", b, b.fully_connected(b.input(1, 4, 4, 2), 3)
    b = Builder()
    yield "split", b, b.split(b.input(1, 4, 4, 4))[0]
    b = Builder()
    yield "concatenated rows", b, b.op(ir.Concatenation(1), (b.input(1, 2, 3, 4),) * 2, (1, 4, 3, 4))
    b = Builder()
    x = b.input(1, 3, 3, 1)
    yield "many sources", b, b.op(ir.Concatenation(3), (x,) * (MAX_SOURCES + 1), (1, 3, 3, MAX_SOURCES + 1))
    b = Builder()
    yield "padded channels", b, b.op(ir.Pad(((0, 0),) * 3 + ((1, 0),), 0), (b.input(1, 3, 3, 1),), (1, 3, 3, 2))
    b = Builder()
    x = b.input(1, 3, 3, 2)
    yield "transpose", b, b.op(ir.Transpose((0, 2, 1, 3)), (x,), (1, 3, 3, 2))
    b = Builder()
    x, row = b.input(1, 3, 3, 2), b.input(1, 1, 3, 2)
    yield "one operand is a row", b, b.op(ir.Add((-128, 127)), (x, row), (1, 3, 3, 2))
    b = Builder()
    x, one = b.input(1, 3, 3, 2), b.input(1, 3, 3, 1)
    yield "one operand is a channel", b, b.op(ir.Mul((-128, 127)), (x, one), (1, 3, 3, 2))
    b = Builder()
    yield "both operands are vectors", b, b.op(ir.Mul((-128, 127)), (b.input(2), b.input(1, 1, 1, 2)), (1, 1, 1, 2))
    b = Builder()
    x = b.input(1, 4, 4, 1)
    yield "not a whole factor", b, b.op(ir.ResizeBilinear(False, False), (x,), (1, 6, 8, 1))
    b = Builder()
    x = b.input(1, 4, 4, 1)
    yield "made smaller", b, b.op(ir.ResizeNearest(False, False), (x,), (1, 2, 2, 1))


REFUSED = list(refused())


def described_last(b: Builder, out: TensorId) -> str:
    graph = b.graph(out)
    described = streamable(graph, graph.ops[-1])
    return "layer" if described is None else "reduces" if described.reduces else "streams"


@pytest.mark.parametrize(("b", "out"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_runs_as_a_layer_only(b: Builder, out: TensorId) -> None:
    assert described_last(b, out) == "layer"


def test_only_bytes_stream() -> None:
    b = Builder()
    graph = b.graph(b.lookup(b.input(1, 4, 4, 2)))
    for dtype in (DType.FLOAT32, DType.INT16):
        wide = replace(graph, tensors=(replace(graph.tensors[0], dtype=dtype), graph.tensors[1]))
        assert streamable(wide, wide.ops[0]) is None


def test_a_sum_of_a_map_with_itself_has_it_twice() -> None:
    b = Builder()
    x = b.input(1, 3, 3, 2)
    graph = b.graph(b.add(x, x))
    described = streamable(graph, graph.ops[0])
    assert described is not None
    assert [s.tensor for s in described.sources] == [x, x]


def test_several_outputs_do_not_stream() -> None:
    n = Network()
    x = n.input(3, 3, 2)
    y = n.lookup(x)
    op = n.ops[-1]
    assert streamable(n.graph(y), Op(op.name, op.attrs, op.inputs, (y, y))) is None


def test_windows_take_the_padding_above_and_to_the_left() -> None:
    n = Network()
    graph = n.graph(n.conv(n.input(9, 9, 1), 1, (3, 5), (2, 3), (1, 0, 2, 1)))
    described = streamable(graph, graph.ops[0])
    assert described is not None
    assert described.sources == (Source(graph.inputs[0], Window(3, 2, 1), Window(5, 3, 2)),)
