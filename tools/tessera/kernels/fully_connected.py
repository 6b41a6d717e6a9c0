"""FULLY_CONNECTED: one rounding, with a 64-bit multiplier."""

from __future__ import annotations

import numpy as np

from tessera.arith.multipliers import fully_connected_reals
from tessera.arith.single_rounding import single_rounding
from tessera.ir.attrs import FullyConnected
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Array, KernelCall, Struct
from tessera.kernels.limits import accumulator_bounds, accumulator_ranges
from tessera.kernels.operands import bias_field, constant, output_of, s8


def bind_fully_connected(graph: Graph, op: Op, attrs: FullyConnected) -> KernelCall:
    x, w, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    channels, depth = w.shape
    reals = fully_connected_reals(x.q, w.q, out.q, channels)
    ranges, bounds = accumulator_ranges(graph, op), accumulator_bounds(graph, op)
    multipliers, shifts = single_rounding(reals, bounds, out.q.zero_point, acc_range=ranges)
    struct = Struct(
        "tess_fully_connected_s8_t",
        (
            ("in_c", depth),
            ("out_c", channels),
            ("in_zero_point", x.q.zero_point),
            ("weights_zero_point", w.q.zero_point),
            ("weights", Array("weights", "int8_t", constant(w))),
            ("bias", bias_field(graph, op)),
            ("multiplier", Array("multiplier", "int64_t", multipliers)),
            ("shift", Array("shift", "int8_t", shifts.astype(np.int8))),
            ("zero_point", out.q.zero_point),
            ("min", attrs.clamp[0]),
            ("max", attrs.clamp[1]),
        ),
    )
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)), out.size // channels)
    return KernelCall(op.name, "FullyConnected", "tess_fully_connected_s8", output_of(op), (arguments,))
