"""ADD, SUB and MUL with the DSP instructions of Armv7E-M (elementwise_dsp.h)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tessera.arith.fixed_point import Ints, rescale
from tessera.arith.multipliers import add_multipliers, mul_multiplier
from tessera.ir.attrs import Add, Clamp, Mul, Sub
from tessera.ir.graph import Graph, Op, Quant
from tessera.kernels.call import Array, Function, KernelCall, SpanKernel, Struct
from tessera.kernels.operands import output_of

_BYTES = np.arange(-128, 128, dtype=np.int64)
_POINTS = (22, 21, 20)  # n of the kernels, bits below the point of the sum
_NUDGES = (0, *(1 << k for k in range(17)))  # times 2^-28, of both factors: moves ties of negative sums away from zero
_MUL_MOST_SHIFT = 22  # the zero point times 2^shift and half of that stay in 32 bits

Line = tuple[int, int, int]  # a, b, c


def lower_elementwise(graph: Graph, op: Op, call: KernelCall) -> KernelCall:
    ((struct, *operands),) = call.calls
    assert isinstance(struct, Struct)
    lowered = _struct(graph, op, struct)
    if lowered is None:
        return call
    return replace(call, symbol="tess_elementwise_s8__dsp", calls=((lowered, *operands),))


def lower_elementwise_span(graph: Graph, op: Op, kernel: SpanKernel) -> SpanKernel:
    lowered = _struct(graph, op, kernel.struct)
    if lowered is None:
        return kernel
    return replace(kernel, symbol="tess_elementwise_span_s8__dsp", struct=lowered)


def _struct(graph: Graph, op: Op, portable: Struct) -> Struct | None:
    """From the portable kernel's, whose walk over the operands it shares; None where its kernel stays."""
    fields = dict(portable.fields)
    run = _mul_run(graph, op) if isinstance(op.attrs, Mul) else _add_run(graph, op)
    if run is None:
        return None
    symbol, constants = run
    return Struct(
        "tess_elementwise_s8_dsp_t",
        (
            ("shape", fields["shape"]),
            ("run", Function(symbol)),
            ("constants", Array("constants", "int32_t", constants)),
            ("min", fields["min"]),
            ("max", fields["max"]),
        ),
    )


def _add_run(graph: Graph, op: Op) -> tuple[str, Ints] | None:
    attrs = op.attrs
    assert isinstance(attrs, Add | Sub)
    a, b, out = (graph.tensor(t).q for t in (*op.inputs, output_of(op)))
    sign = 1 if isinstance(attrs, Add) else -1
    exact = np.clip(_exact_sums(a, b, out, sign), *attrs.clamp)
    slopes = float(a.scale) / float(out.scale), sign * float(b.scale) / float(out.scale)
    for n in _POINTS:
        line = _find_line(exact, slopes, attrs.clamp, n)
        if line is not None:
            return f"tess_add_run_{n}_s8__dsp", np.array(line)
    return None


def _exact_sums(a: Quant, b: Quant, out: Quant, sign: int) -> Ints:
    """[256, 256] of the reference for every pair of bytes, before the clamp."""
    m = add_multipliers(a, b, out)
    at_a, at_b = (rescale((_BYTES - q.zero_point) << m.left_shift, *pair) for q, pair in ((a, m.a), (b, m.b)))
    return rescale(at_a[:, None] + sign * at_b, *m.out) + out.zero_point


def _find_line(exact: Ints, slopes: tuple[float, float], clamp: Clamp, n: int) -> Line | None:
    """(a, b, c) with clamp((c + (a * x >> 8) + (b * y >> 8)) >> n) == exact[x, y] for every pair, in 32 bits.

    For factors near the real ones each pair bounds c from one side or both: what they leave is a proof.
    """
    scale = float(1 << (n + 8))
    if max(map(abs, slopes)) * scale >= 1 << 30:
        return None
    low, high = clamp
    for nudge in _NUDGES:
        a, b = (round(s * scale * (1 + nudge * 2.0**-28)) for s in slopes)
        products = ((a * _BYTES) >> 8)[:, None] + ((b * _BYTES) >> 8)
        least = np.max((exact << n) - products, where=exact > low, initial=-(1 << 40))
        most = np.min(((exact + 1) << n) - 1 - products, where=exact < high, initial=1 << 40)
        if least > most:
            continue
        c = int(np.clip(0, least, most)) if most - least > 1 << 39 else int((least + most) // 2)
        if max(abs(products.min() + c), abs(products.max() + c)) < 1 << 31:
            return a, b, c
    return None


def _mul_run(graph: Graph, op: Op) -> tuple[str, Ints] | None:
    a, b, out = (graph.tensor(t).q for t in (*op.inputs, output_of(op)))
    multiplier, shift = mul_multiplier(a, b, out)
    right = -shift
    if not 1 <= right <= _MUL_MOST_SHIFT or multiplier == 0:
        return None
    k = (out.zero_point << right) + (1 << (right - 1))
    settled = out.zero_point == -128 or a.zero_point == b.zero_point == -128  # ties of negative products
    symbol = "tess_mul_settled_run_s8__dsp" if settled else "tess_mul_run_s8__dsp"
    return symbol, np.array([_pair(-a.zero_point), _pair(-b.zero_point), multiplier, k, right])


def _pair(half: int) -> int:
    """In both halves of a word, as an int32."""
    return half * 0x10000 + (half & 0xFFFF)
