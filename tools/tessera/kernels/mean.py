"""MEAN over any axes."""

from __future__ import annotations

from math import prod

from tessera.arith.multipliers import mean_multiplier
from tessera.ir.attrs import Mean
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import KernelCall, Struct
from tessera.kernels.operands import multiplier, output_of, s8
from tessera.kernels.strides import collapse, dense_strides


def bind_mean(graph: Graph, op: Op, attrs: Mean) -> KernelCall:
    x, out = graph.tensor(op.inputs[0]), graph.tensor(output_of(op))
    strides = dense_strides(x.shape)
    kept = [i for i in range(len(x.shape)) if i not in attrs.axes]
    kept_dims, kept_strides = collapse(tuple(x.shape[i] for i in kept), tuple(strides[i] for i in kept))
    dims, steps = collapse(tuple(x.shape[i] for i in attrs.axes), tuple(strides[i] for i in attrs.axes))
    struct = Struct(
        "tess_mean_s8_t",
        (
            ("kept_rank", len(kept_dims)),
            ("kept_dims", kept_dims),
            ("kept_strides", kept_strides),
            ("reduced_rank", len(dims)),
            ("reduced_dims", dims),
            ("reduced_strides", steps),
            ("in_zero_point", x.q.zero_point),
            ("out", multiplier(op, mean_multiplier(x.q, out.q, prod(dims)))),
            ("zero_point", out.q.zero_point),
        ),
    )
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)))
    return KernelCall(op.name, "Mean", "tess_mean_s8", output_of(op), (arguments,))
