"""Functions of one element: lookups, QUANTIZE and DEQUANTIZE."""

from __future__ import annotations

from tessera.errors import UnsupportedModel
from tessera.ir.attrs import Lookup
from tessera.ir.graph import DType, Graph, Op, TensorId
from tessera.kernels.call import Array, KernelCall, Operand, Struct
from tessera.kernels.operands import output_of, s8, u8


def bind_lookup(graph: Graph, op: Op, attrs: Lookup) -> KernelCall:
    table, size = Array("table", "uint8_t", attrs.table), graph.tensor(output_of(op)).size
    arguments = (table, u8(graph, op.inputs[0]), u8(graph, output_of(op)), size)
    return KernelCall(op.name, attrs.origin, "tess_lookup_8", output_of(op), (arguments,))


def bind_quantize(graph: Graph, op: Op) -> KernelCall:
    _check_int8(graph, op, output_of(op))
    arguments = (_struct(graph, output_of(op)), Operand(op.inputs[0], "float"), s8(graph, output_of(op)))
    size = graph.tensor(output_of(op)).size
    return KernelCall(op.name, "Quantize", "tess_quantize_f32_s8", output_of(op), ((*arguments, size),))


def bind_dequantize(graph: Graph, op: Op) -> KernelCall:
    _check_int8(graph, op, op.inputs[0])
    arguments = (_struct(graph, op.inputs[0]), s8(graph, op.inputs[0]), Operand(output_of(op), "float"))
    size = graph.tensor(output_of(op)).size
    return KernelCall(op.name, "Dequantize", "tess_dequantize_s8_f32", output_of(op), ((*arguments, size),))


def _struct(graph: Graph, quantized: TensorId) -> Struct:
    q = graph.tensor(quantized).q
    return Struct("tess_quantize_t", (("scale", float(q.scale)), ("zero_point", q.zero_point)))


def _check_int8(graph: Graph, op: Op, tensor: TensorId) -> None:
    t = graph.tensor(tensor)
    if t.dtype is not DType.INT8:
        raise UnsupportedModel(
            f"{type(op.attrs).__name__} '{op.name}': '{t.name}' is {t.dtype.value}, only int8 meets float32 on the "
            f"target; build with --edges int8"
        )
