from itertools import product

import numpy as np
import pytest
from byte_machine import ClobberedError, run
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_graphs import Builder

from tessera.arith.multipliers import resize_bilinear_axis, resize_nearest_indices
from tessera.ir.attrs import (
    Dequantize,
    Pad,
    Quantize,
    ResizeBilinear,
    ResizeNearest,
    Softmax,
    StridedSlice,
    Transpose,
)
from tessera.ir.graph import DType, Graph, Op, Tensor, TensorId
from tessera.memory.overlap import lead_bytes
from tessera.memory.plan import Buffer, Memory, MemoryPlan, Place
from tessera.schedule.schedule import Schedule, Stage


def is_safe(graph: Graph, lead: int) -> bool:
    """Runs the graph's only operator with its output `lead` bytes below its input."""
    x, y = graph.inputs[0], graph.outputs[0]
    sizes = [graph.tensor(t).nbytes for t in (x, y)]
    at = [max(0, lead), max(0, -lead)]
    arena = max(o + n for o, n in zip(at, sizes, strict=True))
    buffers = tuple(Buffer(str(t), (t,), n, 0, 2) for t, n in zip((x, y), sizes, strict=True))
    plan = MemoryPlan(buffers, (), tuple(Place(0, a) for a in at), (Memory("arena", arena),), 0, False, 1)
    try:
        run(Schedule(graph, (Stage((0,)),)), plan)
    except ClobberedError:
        return False
    return True


def check_exact(graph: Graph) -> None:
    lead = lead_bytes(graph, graph.ops[0], 0)
    assert lead is not None
    assert 0 <= lead <= graph.tensor(graph.outputs[0]).nbytes
    assert is_safe(graph, lead)
    assert is_safe(graph, lead + 1)
    if lead > 0:
        assert not is_safe(graph, lead - 1)


@st.composite
def windows(
    draw: st.DrawFn,
) -> tuple[tuple[int, int, int], tuple[int, int], tuple[int, int], tuple[int, int, int, int]]:
    """(rows, cols, channels), kernel, stride, padding; odd paddings, also wider than the kernel at top and bottom."""
    rows, cols, channels = draw(st.integers(1, 12)), draw(st.integers(1, 6)), draw(st.integers(1, 5))
    kernel = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    pads = [draw(st.integers(0, k)) for k in (8, 8, kernel[1] - 1, kernel[1] - 1)]
    assume(rows + pads[0] + pads[1] >= kernel[0] and cols + pads[2] + pads[3] >= kernel[1])
    return (rows, cols, channels), kernel, stride, (pads[0], pads[1], pads[2], pads[3])


@given(windows(), st.integers(1, 9))
@settings(max_examples=300, deadline=None)
def test_conv2d(window, channels):  # type: ignore[no-untyped-def]
    b = Builder()
    shape, kernel, stride, padding = window
    check_exact(b.graph(b.conv(b.input(1, *shape), channels, kernel, stride, padding)))


@given(windows(), st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_depthwise_conv2d(window, multiplier):  # type: ignore[no-untyped-def]
    b = Builder()
    shape, kernel, stride, padding = window
    graph = b.graph(b.depthwise(b.input(1, *shape), kernel, stride, padding, multiplier))
    lead = lead_bytes(graph, graph.ops[0], 0)
    assert lead in (0, None)
    if lead == 0:
        assert is_safe(graph, 0)


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_conv2d_runs_in_place(stride: int) -> None:
    b = Builder()
    graph = b.graph(b.depthwise(b.input(1, 6, 5, 3), (3, 3), (stride, stride), (1, 1, 1, 1)))
    assert lead_bytes(graph, graph.ops[0], 0) == 0
    assert is_safe(graph, 0)
    assert not is_safe(graph, 4)


@given(windows())
@settings(max_examples=100, deadline=None)
def test_avg_pool2d(window):  # type: ignore[no-untyped-def]
    b = Builder()
    shape, kernel, stride, padding = window
    check_exact(b.graph(b.pool(b.input(1, *shape), kernel, stride, padding)))


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_pointwise_conv2d_and_fully_connected(rows, cols, inputs, outputs):  # type: ignore[no-untyped-def]
    b = Builder()
    check_exact(b.graph(b.conv(b.input(1, rows, cols, inputs), outputs)))
    b = Builder()
    check_exact(b.graph(b.fully_connected(b.input(rows, cols, inputs), outputs)))


def test_pointwise_numbers() -> None:
    b = Builder()
    graph = b.graph(b.conv(b.input(1, 10, 10, 8), 16))
    assert lead_bytes(graph, graph.ops[0], 0) == 100 * 16 - 96 * 8  # four pixels at a time
    b = Builder()
    graph = b.graph(b.conv(b.input(1, 10, 10, 16), 8))
    assert lead_bytes(graph, graph.ops[0], 0) == 4 * 8


def test_elementwise_is_in_place() -> None:
    b = Builder()
    graph = b.graph(b.lookup(b.input(1, 3, 3, 5)))
    assert lead_bytes(graph, graph.ops[0], 0) == 0
    assert is_safe(graph, 0)
    assert not is_safe(graph, -4)


def test_a_broadcast_operand_is_disjoint() -> None:
    b = Builder()
    x, y = b.input(1, 3, 3, 5), b.input(1, 1, 1, 5)
    graph = b.graph(b.add(x, y))
    assert [lead_bytes(graph, graph.ops[0], i) for i in (0, 1)] == [0, None]


def one_op(attrs, shape, out_shape, dtypes=(DType.INT8, DType.INT8)) -> Graph:  # type: ignore[no-untyped-def]
    tensors = (Tensor("x", shape, dtypes[0]), Tensor("y", out_shape, dtypes[1]))
    x, y = TensorId(0), TensorId(1)
    return Graph("one", tensors, (Op("op", attrs, (x,), (y,)),), (x,), (y,))


@pytest.mark.parametrize(
    ("attrs", "shape", "out_shape"),
    [
        (Softmax(1.0), (1, 8), (1, 8)),
        (Pad(((0, 0), (1, 1)), 0), (1, 8), (1, 10)),
        (Transpose((0, 2, 1)), (1, 2, 4), (1, 4, 2)),
        (StridedSlice((0, 1), (1, 1), (1, 4)), (1, 8), (1, 4)),
        (ResizeNearest(False, False), (2, 2, 2, 1), (2, 4, 4, 1)),
    ],
)
def test_disjoint_operators(attrs, shape, out_shape) -> None:  # type: ignore[no-untyped-def]
    graph = one_op(attrs, shape, out_shape)
    assert lead_bytes(graph, graph.ops[0], 0) is None


def test_float_edges() -> None:
    narrow = one_op(Quantize(), (10,), (10,), (DType.FLOAT32, DType.INT8))
    assert lead_bytes(narrow, narrow.ops[0], 0) == 0
    wide = one_op(Dequantize(), (10,), (10,), (DType.INT8, DType.FLOAT32))
    assert lead_bytes(wide, wide.ops[0], 0) == max(4 * (i + 1) - i for i in range(10))


@given(st.integers(1, 9), st.integers(1, 19), st.sampled_from([(False, False), (True, False), (False, True)]))
@settings(max_examples=200, deadline=None)
def test_resize_rows(rows, out_rows, mode):  # type: ignore[no-untyped-def]
    """The lead from rows computed in one numpy expression (the formulas of TFLite)."""
    corners, half = mode
    out = np.arange(out_rows, dtype=np.float32)
    f = np.float32
    scale = f(rows - 1) / f(out_rows - 1) if corners and out_rows > 1 else f(rows) / f(out_rows)
    at = (out + f(0.5 if half else 0)) * scale
    nearest = np.minimum(np.floor(at.astype(np.float64) + 0.5) if corners else np.floor(at), rows - 1)
    graph = one_op(ResizeNearest(corners, half), (1, rows, 2, 3), (1, out_rows, 4, 3))
    assert lead_bytes(graph, graph.ops[0], 0) == max(0, *((r + 1) * 12 - int(n) * 6 for r, n in enumerate(nearest)))
    # the integer definition rounds positions to 1/1024: at most one row from the ideal
    graph = one_op(ResizeBilinear(corners, half), (1, rows, 2, 3), (1, out_rows, 4, 3))
    lower = np.clip(np.floor(at - f(0.5) if half else at), 0, rows - 1)
    ideal = max(0, *((r + 1) * 12 - int(n) * 6 for r, n in enumerate(lower)))
    lead = lead_bytes(graph, graph.ops[0], 0)
    assert lead is not None
    assert abs(lead - ideal) <= 6


def test_resize_rows_are_those_of_the_kernels_tables() -> None:
    """A whole-map resize reads the rows that its tables in flash name: the lead must come from the same ones."""
    for rows, out_rows, (corners, half) in product((1, 3, 8, 13), (1, 5, 16, 61), ((False, False), (True, False))):
        nearest = resize_nearest_indices(rows, out_rows, corners, half)
        bilinear = resize_bilinear_axis(rows, out_rows, corners, half)
        tables = (
            (ResizeNearest(corners, half), nearest),
            (ResizeBilinear(corners, half), bilinear.low.clip(0, rows - 1)),
        )
        for attrs, first in tables:
            graph = one_op(attrs, (1, rows, 2, 3), (1, out_rows, 4, 3))
            expected = max(0, *((r + 1) * 12 - int(n) * 6 for r, n in enumerate(first)))
            assert lead_bytes(graph, graph.ops[0], 0) == expected
