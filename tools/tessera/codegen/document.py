"""Document: everything that the templates print, as names and text. Decisions were made before; this names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tessera.codegen.constants import ArrayText, Constants, SizeText, StructText
from tessera.codegen.ctext import comment_text, dims_text, float_text, int_text, string_literal
from tessera.codegen.places import BufferText, Places, memory_bytes
from tessera.codegen.stages import SIZES, StageText, make_stage
from tessera.ir.graph import DType, Graph, TensorId
from tessera.kernels.call import Argument, Array, KernelCall, Operand, Scratch, SpanKernel, Step, Struct
from tessera.memory.plan import MemoryPlan
from tessera.schedule.schedule import InputMode, Schedule

_POINTER = {"int8_t": "TESS_S8", "uint8_t": "TESS_U8", "float": "TESS_F32"}
_DTYPE = {DType.INT8: "TESS_INT8", DType.UINT8: "TESS_UINT8", DType.FLOAT32: "TESS_FLOAT32"}
_MODE = {
    InputMode.RESIDENT: "TESS_RESIDENT",
    InputMode.STREAMED: "TESS_STREAMED",
    InputMode.REREAD: "TESS_REREAD",
}
MAX_DIMS = 6


@dataclass(frozen=True, slots=True)
class MemoryText:
    index: int
    name: str  # of the board's region
    nbytes: int

    @property
    def section(self) -> str:
        return f".bss.arena.{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class TensorText:
    name: str  # a C string literal
    dtype: str
    mode: str
    rank: int
    dims: str
    scale: str
    zero_point: int
    at: str  # empty: pulled, it has no place
    nbytes: int


@dataclass(frozen=True, slots=True)
class StepText:
    index: int
    name: str  # a C string literal
    comment: str
    identifier: str
    symbol: str
    macs: int
    at: str  # empty: the whole tensor never exists
    place: str  # for people
    inputs: str  # for people
    nbytes: int
    calls: tuple[str, ...]  # empty: a stage makes them


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    source_sha256: str
    memories: tuple[MemoryText, ...]
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
    stages: tuple[StageText, ...]
    run: tuple[StepText | StageText, ...]

    @property
    def upper(self) -> str:
        return self.name.upper()

    @property
    def arena_bytes(self) -> int:
        return sum(m.nbytes for m in self.memories)


def make_document(schedule: Schedule, plan: MemoryPlan, kernels: Sequence[Step], name: str) -> Document:
    graph, places, constants = schedule.graph, Places(schedule.graph, plan), Constants()
    steps: list[StepText] = []
    run: list[StepText | StageText] = []
    for number, stage in enumerate(schedule.stages):
        first = len(steps)
        mine = kernels[first : first + sum(len(graph.ops[i].outputs) for i in stage.ops)]
        if stage.is_layer:
            calls = [k for k in mine if isinstance(k, KernelCall)]
            layer = [_layer_step(graph, first + n, number, call, places, constants) for n, call in enumerate(calls)]
            steps += layer
            run += layer
        else:
            spans = [k for k in mine if isinstance(k, SpanKernel)]
            steps += [_streamed_step(graph, first + n, number, kernel, places) for n, kernel in enumerate(spans)]
            run.append(make_stage(graph, number, stage, spans, first, places, constants))
    stages = tuple(r for r in run if isinstance(r, StageText))
    sizes = [*constants.sizes.values(), *(SIZES if stages else ())]
    pulled = {m.tensor for stage in schedule.stages for m in stage.maps}
    modes = {t: schedule.input_mode if t in pulled else InputMode.RESIDENT for t in graph.inputs}
    return Document(
        name=name,
        source_sha256=graph.source_sha256,
        memories=tuple(
            MemoryText(i, memory.name, nbytes)
            for i, (memory, nbytes) in enumerate(zip(plan.memories, memory_bytes(plan), strict=True))
        ),
        planned_bytes=plan.arena_bytes,
        scratch_bytes=plan.scratch_bytes,
        lower_bound_bytes=plan.lower_bound_bytes,
        optimal=plan.optimal,
        macs=sum(kernel.macs for kernel in kernels),
        arrays=tuple(constants.arrays.values()),
        structs=tuple(constants.structs),
        sizes=tuple(sorted(sizes, key=lambda s: s.ctype)),
        buffers=places.buffers,
        inputs=tuple(_tensor(graph, t, modes[t], places) for t in graph.inputs),
        outputs=tuple(_tensor(graph, t, InputMode.RESIDENT, places) for t in graph.outputs),
        steps=tuple(steps),
        stages=stages,
        run=tuple(run),
    )


def _layer_step(
    graph: Graph, index: int, stage: int, call: KernelCall, places: Places, constants: Constants
) -> StepText:
    identifier = places.identifier(call.output)

    def argument(value: Argument, number: int) -> str:
        match value:
            case Struct():
                suffix = f"_{number}" if len(call.calls) > 1 else ""
                return constants.struct(value, f"{identifier}_op{suffix}", identifier)
            case Array():
                return constants.array(value, identifier)
            case Operand():
                return f"{_POINTER[value.ctype]}({places.at(value.tensor)})"
            case Scratch():
                return f"TESS_SCRATCH({places.scratch(stage)})"
            case _:
                return int_text(value)

    texts = [
        f"{call.symbol}({', '.join(argument(value, number) for value in arguments)})"
        for number, arguments in enumerate(call.calls)
    ]
    return _step(graph, index, call, places, ", ".join(_place(places, t) for t in call.inputs) or "-", tuple(texts))


def _streamed_step(graph: Graph, index: int, stage: int, kernel: SpanKernel, places: Places) -> StepText:
    return _step(graph, index, kernel, places, f"stage {stage}", ())


def _step(graph: Graph, index: int, kernel: Step, places: Places, inputs: str, calls: tuple[str, ...]) -> StepText:
    tensor, whole = graph.tensor(kernel.output), places.find(kernel.output)
    return StepText(
        index=index,
        name=string_literal(tensor.name),
        comment=comment_text(tensor.name),
        identifier=places.identifier(kernel.output),
        symbol=kernel.symbol,
        macs=kernel.macs,
        at="" if whole is None else whole.constant,
        place="-" if whole is None else places.text(whole.place),
        inputs=inputs,
        nbytes=tensor.nbytes,
        calls=calls,
    )


def _place(places: Places, tensor: TensorId) -> str:
    found = places.find(tensor)
    assert found is not None, f"tensor {tensor} is not whole"
    return places.text(found.place)


def _tensor(graph: Graph, tensor: TensorId, mode: InputMode, places: Places) -> TensorText:
    t = graph.tensor(tensor)
    dims = (*t.shape, *((1,) * (MAX_DIMS - len(t.shape))))
    real = t.dtype is DType.FLOAT32 or t.quant is None
    return TensorText(
        name=string_literal(t.name),
        dtype=_DTYPE[t.dtype],
        mode=_MODE[mode],
        rank=len(t.shape),
        dims=dims_text(dims),
        scale="0.0f" if real else float_text(float(t.q.scale)),
        zero_point=0 if real else t.q.zero_point,
        at=places.at(tensor) if mode is InputMode.RESIDENT else "",
        nbytes=t.nbytes,
    )
