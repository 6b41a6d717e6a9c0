"""ADD, SUB, MUL and PRELU: two operands with broadcast."""

from __future__ import annotations

from tessera.arith.multipliers import add_multipliers, mul_multiplier, prelu_multipliers
from tessera.ir.attrs import Add, Mul, Sub
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import KernelCall, Struct
from tessera.kernels.operands import multiplier, output_of, s8
from tessera.kernels.strides import broadcast_strides, collapse


def bind_add(graph: Graph, op: Op, attrs: Add | Sub) -> KernelCall:
    a, b, out = (graph.tensor(t).q for t in (*op.inputs, output_of(op)))
    m = add_multipliers(a, b, out)
    struct = Struct(
        "tess_add_s8_t",
        (
            ("shape", _broadcast(graph, op)),
            ("a_zero_point", a.zero_point),
            ("b_zero_point", b.zero_point),
            ("left_shift", m.left_shift),
            ("a", multiplier(op, m.a)),
            ("b", multiplier(op, m.b)),
            ("out", multiplier(op, m.out)),
            ("zero_point", out.zero_point),
            ("min", attrs.clamp[0]),
            ("max", attrs.clamp[1]),
        ),
    )
    return _call(graph, op, "tess_add_s8" if isinstance(attrs, Add) else "tess_sub_s8", struct)


def bind_mul(graph: Graph, op: Op, attrs: Mul) -> KernelCall:
    a, b, out = (graph.tensor(t).q for t in (*op.inputs, output_of(op)))
    struct = Struct(
        "tess_mul_s8_t",
        (
            ("shape", _broadcast(graph, op)),
            ("a_zero_point", a.zero_point),
            ("b_zero_point", b.zero_point),
            ("out", multiplier(op, mul_multiplier(a, b, out))),
            ("zero_point", out.zero_point),
            ("min", attrs.clamp[0]),
            ("max", attrs.clamp[1]),
        ),
    )
    return _call(graph, op, "tess_mul_s8", struct)


def bind_prelu(graph: Graph, op: Op) -> KernelCall:
    x, alpha, out = (graph.tensor(t).q for t in (*op.inputs, output_of(op)))
    positive, negative = prelu_multipliers(x, alpha, out)
    struct = Struct(
        "tess_prelu_s8_t",
        (
            ("shape", _broadcast(graph, op)),
            ("x_zero_point", x.zero_point),
            ("alpha_zero_point", alpha.zero_point),
            ("positive", multiplier(op, positive)),
            ("negative", multiplier(op, negative)),
            ("zero_point", out.zero_point),
        ),
    )
    return _call(graph, op, "tess_prelu_s8", struct)


def _broadcast(graph: Graph, op: Op) -> Struct:
    a, b, out = (graph.tensor(t).shape for t in (*op.inputs, output_of(op)))
    dims, a_strides, b_strides = collapse(out, broadcast_strides(a, out), broadcast_strides(b, out))
    return Struct(
        "tess_broadcast_t",
        (("rank", len(dims)), ("dims", dims), ("a_strides", a_strides), ("b_strides", b_strides)),
    )


def _call(graph: Graph, op: Op, symbol: str, struct: Struct) -> KernelCall:
    a, b = op.inputs
    arguments = (struct, s8(graph, a, "a"), s8(graph, b, "b"), s8(graph, output_of(op)))
    return KernelCall(op.name, type(op.attrs).__name__, symbol, output_of(op), (arguments,))
