"""CONV_2D with the DSP instructions of Armv7E-M, where weights and sums are such that they can be used."""

from __future__ import annotations

from dataclasses import replace

from tessera.ir.graph import Graph, Op
from tessera.kernels.call import KernelCall, Scratch, SpanKernel
from tessera.kernels.dsp.conv2d_fast import fast_struct
from tessera.kernels.dsp.conv2d_lean import lean_struct
from tessera.kernels.dsp.conv2d_window import window_of
from tessera.kernels.operands import output_of, s8


def lower_conv2d(graph: Graph, op: Op, call: KernelCall, fast: bool) -> KernelCall:
    window = window_of(graph, op, streamed=False)
    struct = fast_struct(graph, op, window) if fast else lean_struct(graph, op, window)
    if struct is None:
        return call
    operands = struct, s8(graph, op.inputs[0]), s8(graph, output_of(op))
    if not fast:
        return replace(call, symbol="tess_conv2d_lean_s8__dsp", calls=(operands,))
    calls = ((*operands, Scratch()),)
    return replace(call, symbol="tess_conv2d_s8__dsp", calls=calls, scratch_bytes=window.scratch_bytes)


def lower_conv2d_span(graph: Graph, op: Op, kernel: SpanKernel, fast: bool) -> SpanKernel:
    window = window_of(graph, op, streamed=True)
    struct = fast_struct(graph, op, window) if fast else lean_struct(graph, op, window)
    if struct is None:
        return kernel
    if not fast:
        return replace(kernel, symbol="tess_conv2d_lean_span_s8__dsp", struct=struct)
    return replace(kernel, symbol="tess_conv2d_span_s8__dsp", struct=struct, scratch_bytes=window.scratch_bytes)


def conv2d_scratch_bytes(graph: Graph, op: Op, *, streamed: bool, fast: bool) -> int:
    return window_of(graph, op, streamed=streamed).scratch_bytes if fast else 0
