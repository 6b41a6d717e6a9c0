"""Pools with the DSP instructions of Armv7E-M (pool2d_dsp.h)."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.attrs import AvgPool2D, MaxPool2D
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import KernelCall, SpanKernel

_LEAST_CHANNELS = 4
_MOST_PIXELS = 256  # of a mean's window: the sums fit in 16 bits


def lower_pool2d(graph: Graph, op: Op, call: KernelCall) -> KernelCall:
    return replace(call, symbol=f"{call.symbol}__dsp") if _fits(graph, op) else call


def lower_pool2d_span(graph: Graph, op: Op, kernel: SpanKernel) -> SpanKernel:
    return replace(kernel, symbol=f"{kernel.symbol}__dsp") if kernel.reduces or _fits(graph, op) else kernel


def _fits(graph: Graph, op: Op) -> bool:
    attrs = op.attrs
    assert isinstance(attrs, AvgPool2D | MaxPool2D)
    height, width = attrs.kernel
    small = isinstance(attrs, MaxPool2D) or height * width <= _MOST_PIXELS
    return small and graph.tensor(op.inputs[0]).shape[3] >= _LEAST_CHANNELS
