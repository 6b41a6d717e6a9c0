"""SOFTMAX over the last axis."""

from __future__ import annotations

from tessera.arith.multipliers import softmax_exp_table
from tessera.ir.attrs import Softmax
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Array, KernelCall, Struct
from tessera.kernels.operands import output_of, s8


def bind_softmax(graph: Graph, op: Op, attrs: Softmax) -> KernelCall:
    x = graph.tensor(op.inputs[0])
    length = x.shape[-1]
    exp = Array("exp", "int32_t", softmax_exp_table(x.q, attrs.beta))
    struct = Struct("tess_softmax_s8_t", (("length", length), ("exp", exp)))
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)), x.size // length)
    return KernelCall(op.name, "Softmax", "tess_softmax_s8", output_of(op), (arguments,))
