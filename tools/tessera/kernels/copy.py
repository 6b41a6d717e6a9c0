"""Operators that move bytes: all are one strided copy, PAD fills before it."""

from __future__ import annotations

from itertools import accumulate

from tessera.ir.attrs import Pad, StridedSlice, Transpose
from tessera.ir.graph import Graph, Op, TensorId
from tessera.kernels.call import Argument, KernelCall, Struct
from tessera.kernels.operands import output_of, u8
from tessera.kernels.strides import Dims, collapse, dense_strides


def bind_transpose(graph: Graph, op: Op, attrs: Transpose) -> KernelCall:
    shape, out_shape = graph.tensor(op.inputs[0]).shape, graph.tensor(output_of(op)).shape
    in_strides = dense_strides(shape)
    block = _block(out_shape, tuple(in_strides[p] for p in attrs.perm), dense_strides(out_shape))
    return _step(op, output_of(op), (_copy(graph, op, 0, block),))


def bind_strided_slice(graph: Graph, op: Op, attrs: StridedSlice) -> KernelCall:
    strides = dense_strides(graph.tensor(op.inputs[0]).shape)
    steps = tuple(step * stride for step, stride in zip(attrs.step, strides, strict=True))
    block = _block(attrs.size, steps, dense_strides(attrs.size), in_start=_dot(attrs.begin, strides))
    return _step(op, output_of(op), (_copy(graph, op, 0, block),))


def bind_pad(graph: Graph, op: Op, attrs: Pad) -> KernelCall:
    shape, out = graph.tensor(op.inputs[0]).shape, graph.tensor(output_of(op))
    strides = dense_strides(out.shape)
    start = _dot(tuple(before for before, _ in attrs.amounts), strides)
    block = _block(shape, dense_strides(shape), strides, out_start=start)
    struct = Struct("tess_pad_8_t", (("value", attrs.value), ("out_bytes", out.nbytes), ("copy", block)))
    arguments = (struct, u8(graph, op.inputs[0]), u8(graph, output_of(op)))
    return KernelCall(op.name, "Pad", "tess_pad_8", output_of(op), (arguments,))


def bind_concatenation(graph: Graph, op: Op, axis: int) -> KernelCall:
    strides = dense_strides(graph.tensor(output_of(op)).shape)
    shapes = [graph.tensor(t).shape for t in op.inputs]
    begins = accumulate((shape[axis] for shape in shapes), initial=0)
    calls = []
    for index, (shape, begin) in enumerate(zip(shapes, begins, strict=False)):
        block = _block(shape, dense_strides(shape), strides, out_start=begin * strides[axis])
        calls.append(_copy(graph, op, index, block))
    return _step(op, output_of(op), tuple(calls))


def bind_pack(graph: Graph, op: Op, axis: int) -> KernelCall:
    out_strides = dense_strides(graph.tensor(output_of(op)).shape)
    strides = (*out_strides[:axis], *out_strides[axis + 1 :])
    calls = []
    for index, tensor in enumerate(op.inputs):
        shape = graph.tensor(tensor).shape
        block = _block(shape, dense_strides(shape), strides, out_start=index * out_strides[axis])
        calls.append(_copy(graph, op, index, block))
    return _step(op, output_of(op), tuple(calls))


def bind_split(graph: Graph, op: Op, axis: int) -> tuple[KernelCall, ...]:
    """One step for each output."""
    strides = dense_strides(graph.tensor(op.inputs[0]).shape)
    shapes = [graph.tensor(t).shape for t in op.outputs]
    begins = accumulate((shape[axis] for shape in shapes), initial=0)
    steps = []
    for out, shape, begin in zip(op.outputs, shapes, begins, strict=False):
        block = _block(shape, strides, dense_strides(shape), in_start=begin * strides[axis])
        steps.append(_step(op, out, ((block, u8(graph, op.inputs[0]), u8(graph, out)),)))
    return tuple(steps)


def _block(dims: Dims, in_strides: Dims, out_strides: Dims, *, in_start: int = 0, out_start: int = 0) -> Struct:
    dims, in_strides, out_strides = collapse(dims, in_strides, out_strides)
    return Struct(
        "tess_copy_8_t",
        (
            ("rank", len(dims)),
            ("dims", dims),
            ("in_start", in_start),
            ("in_strides", in_strides),
            ("out_start", out_start),
            ("out_strides", out_strides),
        ),
    )


def _copy(graph: Graph, op: Op, index: int, block: Struct) -> tuple[Argument, ...]:
    return block, u8(graph, op.inputs[index], f"in_{index}"), u8(graph, output_of(op))


def _step(op: Op, output: TensorId, calls: tuple[tuple[Argument, ...], ...]) -> KernelCall:
    return KernelCall(op.name, type(op.attrs).__name__, "tess_copy_8", output, calls)


def _dot(a: Dims, b: Dims) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))
