"""What the generator decides about depthwise convolutions for Armv7E-M; tests/firmware/kernels run the kernels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tessera.ir.attrs import DepthwiseConv2D
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.kernels.call import Array, Function, KernelCall, SpanKernel, Struct
from tessera.kernels.dsp.depthwise import (
    LAYER_BYTES,
    LEAN_BYTES,
    SPAN_BYTES,
    depthwise_conv2d_scratch_bytes,
    lower_depthwise_conv2d,
    lower_depthwise_conv2d_span,
)
from tessera.kernels.select import bind
from tessera.kernels.spans import bind_span


def graph_of(size: tuple[int, int], channels: int, kernel: int = 3, stride: int = 1, scale: float = 0.01) -> Graph:
    """SAME padding; `scale` of the weights."""
    pads, out = [], []
    for n in size:
        m = -(-n // stride)
        total = max((m - 1) * stride + kernel - n, 0)
        out.append(m)
        pads += [total // 2, total - total // 2]
    rng = np.random.default_rng(0)
    weights = rng.integers(-127, 128, (1, kernel, kernel, channels)).astype(np.int8)
    bias = rng.integers(-1000, 1000, channels).astype(np.int32)
    scales = np.full(channels, scale, np.float32)
    tensors = (
        Tensor("in", (1, *size, channels), DType.INT8, quant(0.05)),
        Tensor("weights", weights.shape, DType.INT8, Quant(scales, 0, 3), weights),
        Tensor("bias", bias.shape, DType.INT32, Quant(np.float32(0.05) * scales, 0), bias),
        Tensor("out", (1, out[0], out[1], channels), DType.INT8, quant(0.1)),
    )
    attrs = DepthwiseConv2D((stride, stride), (pads[0], pads[1], pads[2], pads[3]), (-128, 127), 1)
    x, w, b, y = (TensorId(i) for i in range(4))
    return Graph("depthwise", tensors, (Op("out", attrs, (x, w, b), (y,)),), (x,), (y,))


def quant(scale: float) -> Quant:
    return Quant(np.array([scale], np.float32), -128)


def layer(graph: Graph, *, fast: bool = True) -> KernelCall:
    (op,) = graph.ops
    (call,) = bind(graph, op)
    return lower_depthwise_conv2d(graph, op, call, fast)


def span(graph: Graph, columns: int, *, fast: bool = True) -> SpanKernel:
    (op,) = graph.ops
    (call,) = bind(graph, op)
    return lower_depthwise_conv2d_span(graph, op, bind_span(graph, op, call), fast, columns)


def struct_of(step: KernelCall | SpanKernel) -> Struct:
    struct = step.calls[0][0] if isinstance(step, KernelCall) else step.struct
    assert isinstance(struct, Struct)
    return struct


def arrays_of(step: KernelCall | SpanKernel) -> dict[str, NDArray[np.generic]]:
    return {name: value.data for name, value in struct_of(step).fields if isinstance(value, Array)}


def flash_bytes(step: KernelCall | SpanKernel) -> int:
    """Of the constants beside the struct; all integers that are not weights are of 32 bits in C."""
    return sum(a.size * (1 if a.dtype.itemsize == 1 else 4) for a in arrays_of(step).values())


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_constants_are_as_large_as_in_the_file(kernel: int) -> None:
    graph = graph_of((9, 9), 12, kernel)
    file_bytes = 12 * (kernel * kernel + 4 + 4 + 8)  # weights, bias, scale, zero point of 64 bits
    for step in (layer(graph), layer(graph, fast=False), span(graph, 9), span(graph, 9, fast=False)):
        assert step.symbol.endswith("__dsp")
        assert flash_bytes(step) == file_bytes


@pytest.mark.parametrize("size", [(3, 3), (6, 6), (24, 24), (25, 5), (80, 112), (7, 300)])
@pytest.mark.parametrize("channels", [1, 3, 8, 50, 256])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (7, 2)])
def test_scratch_is_bounded_and_known_before(size: tuple[int, int], channels: int, kernel: int, stride: int) -> None:
    graph = graph_of(size, channels, kernel, stride)
    (op,) = graph.ops
    for fast, most in ((True, LAYER_BYTES), (False, LEAN_BYTES)):
        call = layer(graph, fast=fast)
        assert call.scratch_bytes == depthwise_conv2d_scratch_bytes(graph, op, streamed=False, fast=fast)
        least_block = min(4, channels) if fast else 1
        assert call.scratch_bytes <= most or dict(struct_of(call).fields)["block"] == least_block
    streamed = depthwise_conv2d_scratch_bytes(graph, op, streamed=True, fast=True)
    assert streamed <= SPAN_BYTES
    for columns in (1, 6, 16, size[1]):
        assert span(graph, columns).scratch_bytes in (0, streamed)
    if channels >= 4:
        assert span(graph, size[1], fast=False).scratch_bytes == 0


def test_narrow_spans_are_computed_straight_from_the_map() -> None:
    graph = graph_of((24, 24), 16)
    assert span(graph, 24).symbol == "tess_depthwise_conv2d_span_s8__dsp"
    assert span(graph, 2).symbol == "tess_depthwise_taps_span_s8__dsp"
    assert span(graph_of((24, 24), 3), 2).symbol == "tess_depthwise_conv2d_span_s8__dsp"  # for taps it takes four


def test_a_narrow_map_is_walked_along_its_columns() -> None:
    graph = graph_of((25, 5), 4)
    fields = dict(struct_of(layer(graph)).fields)
    assert fields["in_pixel_bytes"] == 5 * 4
    assert fields["in_row_bytes"] == 4
    weights = graph.tensors[1].data
    assert weights is not None
    assert np.array_equal(arrays_of(layer(graph))["weights"], weights[0].transpose(2, 1, 0))
    lean = dict(struct_of(layer(graph, fast=False)).fields)
    assert (lean["in_pixel_bytes"], lean["in_row_bytes"]) == (4, 5 * 4)


def test_a_multiplier_that_shifts_left_keeps_the_portable_kernel() -> None:
    graph = graph_of((6, 6), 8, scale=5.0)
    assert layer(graph).symbol == "tess_depthwise_conv2d_s8"
    assert span(graph, 6, fast=False).symbol == "tess_depthwise_conv2d_span_s8"


def test_a_multiplier_of_a_half_goes_without_a_shift_behind_a_relu() -> None:
    graph = graph_of((6, 6), 8, scale=1.5)  # 0.05 * 1.5 / 0.1
    fields = dict(struct_of(layer(graph)).fields)
    assert fields["row"] == Function("tess_depthwise_row_3x3_s1_relu_s8__dsp")
    assert np.all(arrays_of(layer(graph))["channels"][:, 3] == 0)
