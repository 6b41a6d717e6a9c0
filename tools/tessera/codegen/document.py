"""Document: everything that the templates print, as names and text. Decisions were made before; this names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tessera.codegen.ctext import array_length, array_text, dims_text, float_text, int_text, struct_sizes
from tessera.codegen.names import unique_identifiers
from tessera.ir.graph import DType, Graph, TensorId
from tessera.kernels.call import Argument, Array, KernelCall, Operand, Struct, Value
from tessera.memory.plan import MemoryPlan

_POINTER = {"int8_t": "TESS_S8", "uint8_t": "TESS_U8", "float": "TESS_F32"}
_DTYPE = {DType.INT8: "TESS_INT8", DType.UINT8: "TESS_UINT8", DType.FLOAT32: "TESS_FLOAT32"}


@dataclass(frozen=True, slots=True)
class ArrayText:
    name: str
    ctype: str
    length: int
    text: str

    @property
    def is_bytes(self) -> bool:
        return self.ctype in ("int8_t", "uint8_t")


@dataclass(frozen=True, slots=True)
class StructText:
    ctype: str
    name: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SizeText:
    ctype: str
    bytes_32: int
    bytes_64: int


@dataclass(frozen=True, slots=True)
class BufferText:
    constant: str  # AT_...
    offset: int
    nbytes: int
    name: str


@dataclass(frozen=True, slots=True)
class TensorText:
    name: str  # a C string literal
    dtype: str
    rank: int
    dims: str
    scale: str
    zero_point: int
    at: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class StepText:
    index: int
    name: str  # a C string literal
    comment: str
    identifier: str
    symbol: str
    macs: int
    at: str
    offset: int
    inputs: str  # their offsets
    nbytes: int
    calls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    source_sha256: str
    arena_bytes: int
    planned_bytes: int
    scratch_bytes: int
    lower_bound_bytes: int
    optimal: bool
    macs: int
    arrays: tuple[ArrayText, ...]
    structs: tuple[StructText, ...]
    sizes: tuple[SizeText, ...]
    buffers: tuple[BufferText, ...]
    inputs: tuple[TensorText, ...]
    outputs: tuple[TensorText, ...]
    steps: tuple[StepText, ...]

    @property
    def upper(self) -> str:
        return self.name.upper()


class _Constants:
    """Names the constants of the steps. Equal arrays are one."""

    def __init__(self) -> None:
        self.arrays: dict[str, ArrayText] = {}
        self.structs: list[StructText] = []
        self.sizes: dict[str, SizeText] = {}
        self._known: dict[tuple[str, bytes], str] = {}

    def array(self, array: Array, step: str) -> str:
        key = (array.ctype, array.data.tobytes())
        if key not in self._known:
            name = f"{step}_{array.role}"
            assert name not in self.arrays, name
            self.arrays[name] = ArrayText(name, array.ctype, array_length(array), array_text(array))
            self._known[key] = name
        return self._known[key]

    def struct(self, struct: Struct, name: str, step: str) -> str:
        fields = tuple((field, self._value(value, step)) for field, value in struct.fields)
        self.structs.append(StructText(struct.ctype, name, fields))
        self.sizes.setdefault(struct.ctype, SizeText(struct.ctype, *struct_sizes(struct)))
        return f"&{name}"

    def _value(self, value: Value, step: str) -> str:
        match value:
            case Struct():
                inner = ", ".join(f".{field} = {self._value(v, step)}" for field, v in value.fields)
                return f"{{{inner}}}"
            case Array():
                return self.array(value, step)
            case None:
                return "NULL"
            case tuple():
                return dims_text(value)
            case float():
                return float_text(value)
            case _:
                return int_text(value)


def make_document(graph: Graph, plan: MemoryPlan, calls: Sequence[KernelCall], name: str) -> Document:
    names = unique_identifiers(graph.tensor(b.tensors[0]).name for b in plan.buffers)
    buffer_of = {t: i for i, b in enumerate(plan.buffers) for t in b.tensors}
    at = {t: f"AT_{names[i].upper()}" for t, i in buffer_of.items()}
    constants = _Constants()
    steps = tuple(
        _step(graph, plan, index, call, names[buffer_of[call.output]], at, constants)
        for index, call in enumerate(calls)
    )
    return Document(
        name=name,
        source_sha256=graph.source_sha256,
        arena_bytes=plan.arena_bytes + plan.scratch_bytes,
        planned_bytes=plan.arena_bytes,
        scratch_bytes=plan.scratch_bytes,
        lower_bound_bytes=plan.lower_bound_bytes,
        optimal=plan.optimal,
        macs=sum(call.macs for call in calls),
        arrays=tuple(constants.arrays.values()),
        structs=tuple(constants.structs),
        sizes=tuple(sorted(constants.sizes.values(), key=lambda s: s.ctype)),
        buffers=tuple(
            BufferText(f"AT_{name.upper()}", offset, b.nbytes, comment_text(b.name))
            for name, offset, b in zip(names, plan.offsets, plan.buffers, strict=True)
        ),
        inputs=tuple(_tensor(graph, t, at) for t in graph.inputs),
        outputs=tuple(_tensor(graph, t, at) for t in graph.outputs),
        steps=steps,
    )


def _step(
    graph: Graph,
    plan: MemoryPlan,
    index: int,
    call: KernelCall,
    identifier: str,
    at: dict[TensorId, str],
    constants: _Constants,
) -> StepText:
    tensor = graph.tensor(call.output)

    def argument(value: Argument, number: int) -> str:
        match value:
            case Struct():
                suffix = f"_{number}" if len(call.calls) > 1 else ""
                return constants.struct(value, f"{identifier}_op{suffix}", identifier)
            case Array():
                return constants.array(value, identifier)
            case Operand():
                return f"{_POINTER[value.ctype]}({at[value.tensor]})"
            case _:
                return int_text(value)

    texts = [
        f"{call.symbol}({', '.join(argument(value, number) for value in arguments)})"
        for number, arguments in enumerate(call.calls)
    ]
    return StepText(
        index=index,
        name=string_literal(tensor.name),
        comment=comment_text(tensor.name),
        identifier=identifier,
        symbol=call.symbol,
        macs=call.macs,
        at=at[call.output],
        offset=plan.offset_of(call.output),
        inputs=", ".join(str(plan.offset_of(t)) for t in call.inputs) or "-",
        nbytes=tensor.nbytes,
        calls=tuple(texts),
    )


def _tensor(graph: Graph, tensor: TensorId, at: dict[TensorId, str]) -> TensorText:
    t = graph.tensor(tensor)
    dims = (*t.shape, *((1,) * (6 - len(t.shape))))
    real = t.dtype is DType.FLOAT32 or t.quant is None
    return TensorText(
        name=string_literal(t.name),
        dtype=_DTYPE[t.dtype],
        rank=len(t.shape),
        dims=dims_text(dims),
        scale="0.0f" if real else float_text(float(t.q.scale)),
        zero_point=0 if real else t.q.zero_point,
        at=at[tensor],
        nbytes=t.nbytes,
    )


def string_literal(text: str) -> str:
    """A C string; octal escapes, because a hexadecimal one has no end. `??` could be a trigraph."""
    plain = "".join(f"\\{b:03o}" if b < 32 or b > 126 or b in b'"\\?' else chr(b) for b in text.encode())
    return f'"{plain}"'


def comment_text(text: str) -> str:
    """The first of the names that a converter joined; cannot end the comment that it stands in."""
    return re.sub(r"[^ -~]", "?", text.split(";")[0]).replace("*/", "* /").replace("/*", "/ *")
