"""What memory is planned for, from shapes alone, against what the bound kernels ask for."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tessera.errors import UnsupportedModel
from tessera.ir import attrs as ir
from tessera.ir.graph import DType, Graph, Op, Quant, Tensor, TensorId
from tessera.ir.shapes import window_count
from tessera.kernels.call import KernelCall, Scratch
from tessera.kernels.dsp.lower import lower, lower_span
from tessera.kernels.isa import Isa, KernelSet
from tessera.kernels.scratch import scratch_bytes
from tessera.kernels.select import bind
from tessera.kernels.spans import bind_span
from tessera.schedule.streamable import streamable


@st.composite
def operators(draw: st.DrawFn) -> Graph:
    """A convolution, depthwise convolution or fully connected layer, with weights that ask for any kernel."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    kind = draw(st.sampled_from((ir.Conv2D, ir.DepthwiseConv2D, ir.FullyConnected)))
    kernel = draw(st.one_of(st.sampled_from((1, 3, 5, 7)).map(lambda k: (k, k)), st.tuples(*[st.integers(1, 8)] * 2)))
    stride = draw(st.one_of(st.sampled_from(((1, 1), (2, 2))), st.tuples(*[st.integers(1, 4)] * 2)))
    depth = draw(st.one_of(st.sampled_from((1, 3, 4, 8)), st.integers(1, 70)))
    channels, multiplier = draw(st.integers(1, 40)), draw(st.sampled_from((1, 1, 1, 2)))
    top, bottom, left, right = (draw(st.integers(0, k - 1)) for k in (kernel[0], kernel[0], kernel[1], kernel[1]))
    padding = draw(st.sampled_from(((0, 0, 0, 0), (top, bottom, left, right))))
    height = max(1, kernel[0] - padding[0] - padding[1]) + draw(st.integers(0, 40))
    width = max(1, kernel[1] - padding[2] - padding[3]) + draw(st.one_of(st.integers(0, 8), st.integers(0, 300)))
    out = (
        window_count(height, kernel[0], stride[0], *padding[:2]),
        window_count(width, kernel[1], stride[1], *padding[2:]),
    )
    clamp = draw(st.sampled_from(((-128, 127), (-20, 100))))
    attrs: ir.Attrs
    if kind is ir.FullyConnected:
        attrs, shape, out_shape, axis = ir.FullyConnected(clamp), (channels, depth), (height, channels), 0
    elif kind is ir.DepthwiseConv2D:
        attrs, axis = ir.DepthwiseConv2D(stride, padding, clamp, multiplier), 3
        shape = (1, *kernel, depth * multiplier)
        out_shape = (1, *out, depth * multiplier)
    else:
        attrs, shape, axis = ir.Conv2D(stride, padding, clamp), (channels, *kernel, depth), 0
        out_shape = (1, *out, channels)
    in_shape = (height, depth) if kind is ir.FullyConnected else (1, height, width, depth)
    weights = rng.integers(draw(st.sampled_from((-127, -128))), 128, shape).astype(np.int8)
    scale = np.array([2.0 ** -draw(st.sampled_from((-2, 0, 8, 8, 8, 24)))], np.float32)
    one, zero_points = np.ones(1, np.float32), [draw(st.integers(-128, 127)) for _ in range(2)]
    tensors = (
        Tensor("in", in_shape, DType.INT8, Quant(one, zero_points[0])),
        Tensor("weights", shape, DType.INT8, Quant(scale, draw(st.sampled_from((0, 0, 0, -77))), axis), weights),
        Tensor("out", out_shape, DType.INT8, Quant(one, zero_points[1])),
    )
    op = Op("op", attrs, (TensorId(0), TensorId(1)), (TensorId(2),))
    return Graph("scratch", tensors, (op,), (TensorId(0),), (TensorId(2),))


@given(operators(), st.booleans(), st.integers(1, 64))
def test_what_is_planned_is_enough(graph: Graph, fast: bool, columns: int) -> None:
    (op,), kernels = graph.ops, KernelSet(Isa.ARMV7E_M, fast)
    try:
        (portable,) = bind(graph, op)
    except UnsupportedModel:
        return
    layer = lower(graph, op, portable, kernels)
    assert layer.scratch_bytes <= scratch_bytes(graph, op, kernels, streamed=False)
    assert (layer.scratch_bytes > 0) == takes_scratch(layer)
    if streamable(graph, op) is not None:
        span = lower_span(graph, op, bind_span(graph, op, portable), kernels, columns)
        assert span.scratch_bytes <= scratch_bytes(graph, op, kernels, streamed=True)
        assert fast or span.scratch_bytes == 0


def takes_scratch(call: KernelCall) -> bool:
    return any(isinstance(argument, Scratch) for arguments in call.calls for argument in arguments)
