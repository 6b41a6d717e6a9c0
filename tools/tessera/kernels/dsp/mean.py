"""Means over maps with the DSP instructions of Armv7E-M (mean_dsp.h)."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.attrs import Mean
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import KernelCall, SpanKernel, Struct
from tessera.kernels.operands import map_shape

_LEAST_CHANNELS = 4


def lower_mean(graph: Graph, op: Op, call: KernelCall) -> KernelCall:
    """Over rows and columns of a map; others stay with the portable kernel."""
    x, attrs = graph.tensor(op.inputs[0]), op.attrs
    assert isinstance(attrs, Mean)
    if len(x.shape) != 4 or attrs.axes != (1, 2) or x.shape[3] < _LEAST_CHANNELS:
        return call
    ((portable, *operands),) = call.calls
    assert isinstance(portable, Struct)
    fields = dict(portable.fields)
    kept = [(name, fields[name]) for name in ("in_zero_point", "out", "zero_point")]
    struct = Struct("tess_mean_map_s8_t", (("in", map_shape(x)), *kept))
    return replace(call, symbol="tess_mean_map_s8__dsp", calls=((struct, *operands),))


def lower_mean_of_means(graph: Graph, op: Op, call: KernelCall) -> KernelCall:
    channels = graph.tensor(op.inputs[0]).shape[3]
    return call if channels < _LEAST_CHANNELS else replace(call, symbol="tess_mean_of_means_s8__dsp")


def lower_mean_span(kernel: SpanKernel) -> SpanKernel:
    return replace(kernel, symbol=f"{kernel.symbol}__dsp")
