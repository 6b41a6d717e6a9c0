"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from tessera.ir.attrs import AvgPool2D, MaxPool2D
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import KernelCall, Struct
from tessera.kernels.operands import map_shape, output_of, s8


def bind_pool2d(graph: Graph, op: Op, attrs: AvgPool2D | MaxPool2D) -> KernelCall:
    struct = Struct(
        "tess_pool2d_s8_t",
        (
            ("in", map_shape(graph.tensor(op.inputs[0]))),
            ("out", map_shape(graph.tensor(output_of(op)))),
            ("kernel_h", attrs.kernel[0]),
            ("kernel_w", attrs.kernel[1]),
            ("stride_h", attrs.stride[0]),
            ("stride_w", attrs.stride[1]),
            ("pad_top", attrs.padding[0]),
            ("pad_left", attrs.padding[2]),
            ("raw_zero", attrs.raw_zero if isinstance(attrs, AvgPool2D) else 0),
            ("min", attrs.clamp[0]),
            ("max", attrs.clamp[1]),
        ),
    )
    symbol = "tess_avg_pool2d_s8" if isinstance(attrs, AvgPool2D) else "tess_max_pool2d_s8"
    arguments = (struct, s8(graph, op.inputs[0]), s8(graph, output_of(op)))
    return KernelCall(op.name, type(attrs).__name__, symbol, output_of(op), (arguments,))
