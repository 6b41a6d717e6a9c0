"""Lookups for Armv7E-M (lookup_dsp.h): any table four bytes at a time; one that flips the sign bit is no table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.ir.attrs import Lookup
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import KernelCall, SpanKernel, Struct

_FLIP = np.arange(256) ^ 0x80  # what uint8_to_int8 puts at the edges of a graph


def lower_lookup(op: Op, call: KernelCall) -> KernelCall:
    if not _flips(op):
        return replace(call, symbol="tess_lookup_8__dsp")
    ((_, *others),) = call.calls
    return replace(call, symbol="tess_flip_8__dsp", calls=(tuple(others),))


def lower_lookup_span(graph: Graph, op: Op, kernel: SpanKernel) -> SpanKernel:
    if not _flips(op):
        return replace(kernel, symbol="tess_lookup_span_8__dsp")
    struct = Struct("tess_flip_span_8_dsp_t", (("channels", graph.tensor(op.inputs[0]).shape[3]),))
    return replace(kernel, symbol="tess_flip_span_8__dsp", struct=struct)


def _flips(op: Op) -> bool:
    assert isinstance(op.attrs, Lookup)
    return np.array_equal(op.attrs.table, _FLIP)
