"""MEAN over any axes, and the mean of a map's rows' means."""

from __future__ import annotations

from math import prod

import numpy as np

from tessera.arith.multipliers import mean_multiplier
from tessera.ir.attrs import Mean, MeanOfMeans
from tessera.ir.graph import Graph, Op, Quant
from tessera.kernels.call import KernelCall, Struct
from tessera.kernels.operands import map_shape, multiplier, output_of, s8
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


def bind_mean_of_means(graph: Graph, op: Op, attrs: MeanOfMeans) -> KernelCall:
    x, out = graph.tensor(op.inputs[0]), graph.tensor(output_of(op))
    _, height, width, _ = x.shape
    row = Quant(np.array([attrs.row_scale], np.float32), attrs.row_zero_point)
    struct = Struct(
        "tess_mean_of_means_s8_t",
        (
            ("in", map_shape(x)),
            ("in_zero_point", x.q.zero_point),
            ("row", multiplier(op, mean_multiplier(x.q, row, width))),
            ("row_zero_point", row.zero_point),
            ("out", multiplier(op, mean_multiplier(row, out.q, height))),
            ("zero_point", out.q.zero_point),
        ),
    )
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)))
    return KernelCall(op.name, "MeanOfMeans", "tess_mean_of_means_s8", output_of(op), (arguments,))
