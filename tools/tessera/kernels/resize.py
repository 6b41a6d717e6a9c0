"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR: index and weight tables in flash."""

from __future__ import annotations

import numpy as np

from tessera.arith.multipliers import resize_bilinear_axis, resize_nearest_indices
from tessera.ir.attrs import ResizeBilinear, ResizeNearest
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Array, KernelCall, Struct
from tessera.kernels.operands import map_shape, output_of, s8


def bind_resize_nearest(graph: Graph, op: Op, attrs: ResizeNearest) -> KernelCall:
    def table(role: str, axis: int) -> Array:
        n, size = graph.tensor(op.inputs[0]).shape[axis], graph.tensor(output_of(op)).shape[axis]
        index = resize_nearest_indices(n, size, attrs.align_corners, attrs.half_pixel_centers)
        return Array(role, "int32_t", index)

    return _call(graph, op, "ResizeNearest", "tess_resize_nearest_8", table("row", 1), table("column", 2))


def bind_resize_bilinear(graph: Graph, op: Op, attrs: ResizeBilinear) -> KernelCall:
    def table(role: str, axis: int) -> Array:
        n, size = graph.tensor(op.inputs[0]).shape[axis], graph.tensor(output_of(op)).shape[axis]
        a = resize_bilinear_axis(n, size, attrs.align_corners, attrs.half_pixel_centers)
        assert np.array_equal(a.weight_low + a.weight_high, np.full(size, 1024))
        return Array(role, "tess_interpolation_t", np.stack([a.low, a.high, a.weight_high], axis=1))

    return _call(graph, op, "ResizeBilinear", "tess_resize_bilinear_s8", table("row", 1), table("column", 2))


def _call(graph: Graph, op: Op, kind: str, symbol: str, row: Array, column: Array) -> KernelCall:
    struct = Struct(
        f"{symbol}_t",
        (
            ("in", map_shape(graph.tensor(op.inputs[0]))),
            ("out", map_shape(graph.tensor(output_of(op)))),
            ("row", row),
            ("column", column),
        ),
    )
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)))
    return KernelCall(op.name, kind, symbol, output_of(op), (arguments,))
