"""Streamed stages as text: the tables that tess_stage_run carries out (stage.h), and those in the head of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tessera.codegen.constants import Constants, SizeText
from tessera.codegen.ctext import comment_text
from tessera.codegen.names import unique
from tessera.codegen.places import Places
from tessera.ir.graph import Graph, TensorId
from tessera.kernels.call import Array, SpanKernel, SpanSource
from tessera.memory.plan import Role
from tessera.schedule.schedule import MapPlan, Stage, Sweep

SIZES = (
    SizeText("tess_action_t", 12, 12),
    SizeText("tess_map_t", 80, 88),
    SizeText("tess_node_t", 24, 40),
    SizeText("tess_source_t", 20, 24),
    SizeText("tess_stage_t", 28, 40),
)

MAX_ACTIONS = 512  # TESS_MAX_ACTIONS

Fields = tuple[tuple[str, str], ...]
Key = TensorId | str  # a tensor, or the name of a constant array


@dataclass(frozen=True, slots=True)
class SweepText:
    """One line of the head: how a map advances and what is kept of it."""

    row_ticks: str
    rows: str
    col_ticks: str
    cols: str
    lines: str
    left: str
    window: str


@dataclass(frozen=True, slots=True)
class MapText:
    constant: str  # STAGE_<number>_..., its index
    comment: str
    fields: Fields
    sweep: SweepText | None  # of a map that the stage computes or pulls


@dataclass(frozen=True, slots=True)
class NodeText:
    comment: str
    kernel: str
    op: str
    sources: tuple[str, ...]
    reduces: bool
    step: int


@dataclass(frozen=True, slots=True)
class ActionText:
    kind: str
    map: str
    node: int


@dataclass(frozen=True, slots=True)
class StageText:
    name: str
    number: int
    row_ticks: int
    col_ticks: int
    scratch: str  # empty: no kernel needs any
    maps: tuple[MapText, ...]
    nodes: tuple[NodeText, ...]
    actions: tuple[ActionText, ...]


def make_stage(
    graph: Graph,
    number: int,
    stage: Stage,
    kernels: Sequence[SpanKernel],
    first_step: int,
    places: Places,
    constants: Constants,
) -> StageText:
    """`kernels` are those of stage.ops, in that order, and steps from `first_step` on."""
    reduced = {k.output: k.inputs[0] for k in kernels if k.reduces}
    names = [places.identifier(k.output) for k in kernels]
    sources = [
        [(_key(source, name, constants), source) for source in kernel.sources]
        for kernel, name in zip(kernels, names, strict=True)
    ]
    plans = {m.tensor: m for m in stage.maps}
    others = {key: source for of_node in sources for key, source in of_node if key not in plans}
    index = _indices(number, [*plans, *others], places)
    maps = [_planned(graph, number, stage, plans[t], reduced.get(t, t), index[t], places) for t in plans]
    maps += [_ready(graph, key, source, index[key], places) for key, source in others.items()]
    nodes = tuple(
        NodeText(
            comment=comment_text(graph.tensor(kernel.output).name),
            kernel=kernel.symbol,
            op=constants.struct(kernel.struct, f"{name}_op", name),
            sources=tuple(_source(source, index[key], name, constants) for key, source in of_node),
            reduces=kernel.reduces,
            step=first_step + n,
        )
        for n, (kernel, name, of_node) in enumerate(zip(kernels, names, sources, strict=True))
    )
    actions = tuple(_actions(graph, stage, index))
    assert len(actions) <= MAX_ACTIONS, f"stage {number} has {len(actions)} actions"
    scratch = places.scratch(number) if any(kernel.scratch_bytes for kernel in kernels) else ""
    return StageText(f"stage_{number}", number, stage.row_ticks, stage.col_ticks, scratch, tuple(maps), nodes, actions)


def _key(source: SpanSource, step: str, constants: Constants) -> Key:
    return constants.array(source.operand, step) if isinstance(source.operand, Array) else source.operand


def _indices(number: int, keys: Sequence[Key], places: Places) -> dict[Key, str]:
    """The enumeration constants that index the stage's maps."""
    names = [key if isinstance(key, str) else places.identifier(key) for key in keys]
    return dict(zip(keys, unique(f"STAGE_{number}_{name}".upper() for name in names), strict=True))


def _planned(
    graph: Graph, number: int, stage: Stage, plan: MapPlan, domain: TensorId, constant: str, places: Places
) -> MapText:
    """A map that the stage computes or pulls; `domain` is the map whose rows its sweeps count."""
    fields = [
        ("shape", _shape(*graph.tensor(domain).shape[1:])),
        ("rows", _sweep(plan.rows)),
        ("cols", _sweep(plan.cols)),
    ]
    if plan.lines:
        lines = places.find(plan.tensor, Role.LINES, number)
        at = places.at(plan.tensor) if lines is None else lines.constant
        fields += [("lines", str(plan.lines)), ("lines_at", at)]
    if plan.windowed:
        fields += [("windowed", "true"), ("window_at", places.at(plan.tensor, Role.WINDOW, number))]
    if plan.left:
        fields += [("left", str(plan.left)), ("left_at", places.at(plan.tensor, Role.LEFT, number))]
    sweep = SweepText(
        _ticks(plan.rows, stage.row_ticks),
        _interval(plan.rows, stage.row_ticks),
        _ticks(plan.cols, stage.col_ticks),
        _interval(plan.cols, stage.col_ticks),
        "sums" if domain != plan.tensor else str(plan.lines),
        str(plan.left),
        f"{plan.rows.size} x {plan.left + plan.cols.size}" if plan.windowed else "-",
    )
    return MapText(constant, comment_text(graph.tensor(plan.tensor).name), tuple(fields), sweep)


def _ready(graph: Graph, key: Key, source: SpanSource, constant: str, places: Places) -> MapText:
    """A map or a vector that exists before the stage begins."""
    if isinstance(key, str):
        assert isinstance(source.operand, Array)
        shape = _shape(1, 1, source.operand.data.size)
        return MapText(constant, key, (("shape", shape), ("lines", "1"), ("constant", key)), None)
    tensor = graph.tensor(key)
    is_vector = source.stride == 0 and source.first is None
    height, width, channels = (1, 1, tensor.size) if is_vector else tensor.shape[1:]
    fields = (("shape", _shape(height, width, channels)), ("lines", str(height)), ("lines_at", places.at(key)))
    return MapText(constant, comment_text(tensor.name), fields, None)


def _source(source: SpanSource, index: str, step: str, constants: Constants) -> str:
    first = "" if source.first is None else f", .first = {constants.array(source.first, step)}"
    return f"{{.map = {index}, .count = {source.count}, .stride = {source.stride}, .pad = {source.pad}{first}}}"


def _actions(graph: Graph, stage: Stage, index: Mapping[Key, str]) -> list[ActionText]:
    """What happens at a tick: inputs are pulled, operators compute, a window retires behind the last that reads it."""
    ops = [graph.ops[i] for i in stage.ops]
    made = {t for op in ops for t in op.outputs}
    last_reader = {t: n for n, op in enumerate(ops) for t in op.inputs}
    retiring = [m.tensor for m in stage.maps if m.windowed and (m.lines or m.left)]
    actions: list[ActionText] = []
    for m in stage.maps:
        if m.tensor not in made:
            actions.append(ActionText("PULL", index[m.tensor], graph.inputs.index(m.tensor)))
            if m.tensor in retiring and m.tensor not in last_reader:
                actions.append(ActionText("RETIRE", index[m.tensor], 0))
    for n, op in enumerate(ops):
        actions.append(ActionText("COMPUTE", index[op.outputs[0]], n))
        done = [t for t in retiring if last_reader.get(t) == n or (t in op.outputs and t not in last_reader)]
        actions += [ActionText("RETIRE", index[t], 0) for t in done]
    return actions


def _shape(height: int, width: int, channels: int) -> str:
    return f"{{.h = {height}, .w = {width}, .c = {channels}}}"


def _sweep(s: Sweep) -> str:
    return f"{{.period = {s.period}, .phase = {s.phase}, .step = {s.step}, .begin = {s.begin}, .size = {s.size}}}"


def _ticks(sweep: Sweep, ticks: int) -> str:
    """The ticks at which it fires, k = 0, 1, ..."""
    return _linear(sweep.phase, _times(sweep, ticks, sweep.period))


def _interval(sweep: Sweep, ticks: int) -> str:
    """What it computes the k-th time."""
    step = _times(sweep, ticks, sweep.step)
    return f"[{_linear(sweep.begin, step)}, {_linear(sweep.begin + sweep.size, step)})"


def _times(sweep: Sweep, ticks: int, step: int) -> int:
    return step if sweep.phase + sweep.period < ticks else 0


def _linear(begin: int, step: int) -> str:
    if step == 0:
        return str(begin)
    k = "k" if step == 1 else f"{step}k"
    return k if begin == 0 else f"{k} {'-' if begin < 0 else '+'} {abs(begin)}"
