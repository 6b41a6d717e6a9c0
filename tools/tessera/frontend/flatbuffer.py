"""The bytes of a .tflite file as plain values, nothing trusted: every length is checked before it is used.

Only the first subgraph is kept. Whether Tessera can run it is the next module's question (supported.py).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema  # type: ignore[import-untyped]
from numpy.typing import NDArray

from tessera.errors import CorruptModel, UnsupportedModel
from tessera.ir.graph import DType

KINDS: dict[int, str] = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
_TYPE_NAMES: dict[int, str] = {v: k for k, v in vars(schema.TensorType).items() if isinstance(v, int)}
_DTYPES = {0: "float32", 2: "int32", 3: "uint8", 4: "int64", 6: "bool", 7: "int16", 9: "int8"}
_MOST_ITEMS = 20_000  # tensors, operators, buffers: more is not a model for a microcontroller
_MOST_RANK = 8
_MOST_BYTES = 1 << 28  # of one tensor
# What flatbuffers and numpy raise on offsets and lengths that point outside the file.
PARSE_ERRORS = (
    struct.error,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    OverflowError,
    MemoryError,
    RecursionError,
)


@dataclass(frozen=True, slots=True, eq=False)
class FileTensor:
    """A tensor as written. `dtype` is None for a type that Tessera does not know; `type_name` is the schema's word."""

    index: int
    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    type_name: str
    dtype: DType | None
    scales: NDArray[np.float32]
    zero_points: tuple[int, ...]
    axis: int
    data: NDArray[Any] | None
    is_variable: bool
    is_sparse: bool


@dataclass(frozen=True, slots=True, eq=False)
class FileOp:
    """An operator as written. An absent optional input is -1. `options` is the schema's object, or None."""

    kind: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True, slots=True, eq=False)
class FileModel:
    tensors: tuple[FileTensor, ...]
    ops: tuple[FileOp, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_flatbuffer(content: bytes, name: str) -> FileModel:
    if len(content) < 16 or content[4:8] != b"TFL3":
        raise CorruptModel(f"{name}: not a .tflite model ({len(content)} bytes, no TFL3 mark); check the path")
    try:
        return _read(content, name)
    except PARSE_ERRORS as error:
        raise CorruptModel(
            f"{name}: the file of {len(content)} bytes is damaged or cut short; fetch or convert it again"
        ) from error


def _read(content: bytes, name: str) -> FileModel:
    model = schema.Model.GetRootAs(content, 0)
    if model.Version() != 3:
        raise CorruptModel(f"{name}: schema version {model.Version()} instead of 3; convert the model again")
    subgraphs = _count(model.SubgraphsLength(), content)
    if subgraphs != 1:
        raise UnsupportedModel(
            f"{name}: the model has {subgraphs} subgraphs and the limit is 1; convert it without control flow"
        )
    graph = model.Subgraphs(0)
    codes = [_operator_code(model.OperatorCodes(i)) for i in range(_count(model.OperatorCodesLength(), content))]
    buffers = [_buffer(model.Buffers(i), content, name) for i in range(_count(model.BuffersLength(), content))]
    tensor_count = _count(graph.TensorsLength(), content)
    tensors = tuple(_tensor(graph.Tensors(i), i, buffers, name) for i in range(tensor_count))
    ops = tuple(_op(graph.Operators(i), codes) for i in range(_count(graph.OperatorsLength(), content)))
    inputs, outputs = _ints(graph.InputsAsNumpy()), _ints(graph.OutputsAsNumpy())
    for index in (*inputs, *outputs, *(i for op in ops for i in op.outputs)):
        if not 0 <= index < tensor_count:
            raise CorruptModel(f"{name}: tensor {index} is named but there are {tensor_count}; fetch the file again")
    if any(not -1 <= i < tensor_count for op in ops for i in op.inputs):
        raise CorruptModel(f"{name}: an operator reads a tensor that is not there; fetch the file again")
    return FileModel(tensors, ops, inputs, outputs)


def _count(n: int, content: bytes) -> int:
    if n > min(_MOST_ITEMS, len(content) // 4):
        raise ValueError(f"a list of {n} entries in {len(content)} bytes")
    return n


def _operator_code(code: Any) -> tuple[str, int]:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = KINDS[number]
    if kind == "CUSTOM":
        kind = f"CUSTOM {_text(code.CustomCode())}"
    return kind, code.Version()


def _buffer(buffer: Any, content: bytes, name: str) -> NDArray[np.uint8] | None:
    if buffer.Offset() > 1 or buffer.Size() > 1:
        raise UnsupportedModel(f"{name}: weights lie outside the flatbuffer (a file above 2 GB); the limit is 256 MB")
    if buffer.DataIsNone():
        return None
    length = buffer.DataLength()
    if length > len(content):
        raise ValueError(f"a buffer of {length} bytes in a file of {len(content)}")
    data = buffer.DataAsNumpy() if length else None
    return None if data is None else np.asarray(data, np.uint8)


def _tensor(t: Any, index: int, buffers: list[NDArray[np.uint8] | None], name: str) -> FileTensor:
    label = _text(t.Name()) or f"tensor_{index}"
    shape = _shape(t.ShapeAsNumpy())
    type_name = _TYPE_NAMES[t.Type()]
    dtype = DType(_DTYPES[t.Type()]) if t.Type() in _DTYPES else None
    size = 1
    for d in shape:
        size *= d
    if min(shape, default=1) < 0 or size * 8 > 8 * _MOST_BYTES:
        raise CorruptModel(f"{name}: tensor '{label}' has shape {list(shape)}; the limit is {_MOST_BYTES} bytes")
    q = t.Quantization()
    scales: NDArray[np.float32] = np.zeros(0, np.float32)
    zero_points: tuple[int, ...] = ()
    axis = 0
    if q is not None and q.ScaleLength() > 0:
        scales = np.array(q.ScaleAsNumpy(), np.float32)
        zero_points = _ints(q.ZeroPointAsNumpy())
        axis = q.QuantizedDimension()
    raw = buffers[t.Buffer()]
    data = None
    if raw is not None and dtype is not None:
        if raw.size != size * dtype.nbytes:
            raise CorruptModel(
                f"{name}: tensor '{label}' of shape {list(shape)} and type {type_name} needs {size * dtype.nbytes} "
                f"bytes and has {raw.size}; fetch or convert the file again"
            )
        data = np.frombuffer(raw.tobytes(), dtype.numpy).reshape(shape)
    return FileTensor(
        index=index,
        name=label,
        shape=shape,
        shape_signature=_shape(t.ShapeSignatureAsNumpy()),
        type_name=type_name,
        dtype=dtype,
        scales=scales,
        zero_points=zero_points,
        axis=axis,
        data=data,
        is_variable=bool(t.IsVariable()),
        is_sparse=t.Sparsity() is not None,
    )


def _op(op: Any, codes: list[tuple[str, int]]) -> FileOp:
    kind, version = codes[op.OpcodeIndex()]
    options = schema.BuiltinOptionsCreator(op.BuiltinOptionsType(), op.BuiltinOptions())
    return FileOp(kind, version, _ints(op.InputsAsNumpy()), _ints(op.OutputsAsNumpy()), options)


def _ints(values: Any) -> tuple[int, ...]:
    """A numpy vector of the file; flatbuffers gives 0 for an absent one."""
    return () if isinstance(values, int) else tuple(values.tolist())


def _shape(values: Any) -> tuple[int, ...]:
    shape = _ints(values)
    if len(shape) > _MOST_RANK:
        raise ValueError(f"a tensor of {len(shape)} dimensions")
    return shape


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", errors="replace")
