"""The one flow: .tflite -> Graph -> Schedule -> MemoryPlan -> C. Each stage is a function of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tessera.board import GUARD_BYTES, Board, BoardMemory
from tessera.codegen.generate import Sources, generate_c
from tessera.errors import BadInput, DoesNotFit
from tessera.firmware.static_ram import static_ram_bound
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import DType, Graph
from tessera.kernels.call import Step
from tessera.kernels.isa import Isa
from tessera.kernels.select import select_kernels
from tessera.memory.plan import MemoryPlan
from tessera.models import ROOT, ModelFile
from tessera.passes import EDGES_FLOAT_PASSES, PASSES, run_passes
from tessera.schedule.find import Found, find_schedule
from tessera.schedule.options import DEFAULT, ScheduleOptions
from tessera.schedule.schedule import InputMode, Schedule
from tessera.schedule.space import Progress

GENERATED = ROOT / "build" / "gen"


class Edges(Enum):
    """What the firmware takes and gives where the model has float32 inputs or outputs."""

    INT8 = "int8"  # the quantised tensors behind QUANTIZE and before DEQUANTIZE
    FLOAT = "float"  # float32, as in the file


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A model with everything that was decided about it."""

    model: ModelFile
    content: bytes
    loaded: Graph  # as in the file
    passed: Graph  # after the passes, before the schedule rewrote any of it
    options: ScheduleOptions
    limit_bytes: int | None  # of the arena
    isa: Isa  # of the board
    memories: tuple[BoardMemory, ...] | None  # of the board
    found: Found
    kernels: tuple[Step, ...]

    @property
    def schedule(self) -> Schedule:
        return self.found.schedule

    @property
    def plan(self) -> MemoryPlan:
        return self.found.plan

    @property
    def graph(self) -> Graph:
        """The graph that runs."""
        return self.schedule.graph


def compile_model(
    model: ModelFile,
    board: Board | None,
    *,
    edges: Edges = Edges.INT8,
    options: ScheduleOptions = DEFAULT,
    application_bytes: int = 0,
    time_limit_s: float = 10.0,
    progress: Progress | None = None,
) -> Compiled:
    """For a board, or for none in particular: then nothing limits the memory but the options.

    `application_bytes`: static RAM of the application, beside the server's.
    """
    content = model.read()
    loaded = load_tflite(content, name=model.name)
    graph = simplify(loaded, edges)
    _check_edges(graph, edges, options)
    limit = limit_bytes(graph, board, options, application_bytes)
    memories = board.memories if board is not None else None
    isa = Isa(board.isa) if board is not None else Isa.PORTABLE
    found = find_schedule(
        graph, options, limit, isa=isa, memories=memories, time_limit_s=time_limit_s, progress=progress
    )
    kernels = select_kernels(found.schedule.graph, found.schedule)
    return Compiled(model, content, loaded, graph, options, limit, isa, memories, found, kernels)


def simplify(loaded: Graph, edges: Edges) -> Graph:
    return run_passes(loaded, EDGES_FLOAT_PASSES if edges is Edges.FLOAT else PASSES)


def possible_modes(graph: Graph) -> tuple[InputMode, ...]:
    """The ways to take the image that the model's inputs allow: only 8-bit images can be pulled row by row."""
    real = any(graph.tensor(t).dtype is DType.FLOAT32 for t in graph.inputs)
    return (InputMode.RESIDENT,) if real else tuple(InputMode)


def find_modes(
    compiled: Compiled, *, time_limit_s: float = 2.0, progress: Progress | None = None
) -> dict[InputMode, Found]:
    """What every way to take the image would need. Where a limit is given, the others compute nothing again: finding
    what they could save by it takes as long as what was asked for."""
    found: dict[InputMode, Found] = {}
    limited = compiled.options.sram_bytes is not None or compiled.options.max_macs is not None
    for mode in possible_modes(compiled.passed):
        options = ScheduleOptions(mode, max_macs=1.0 if limited else None)
        if mode is compiled.options.input_mode:
            found[mode] = compiled.found
        else:
            found[mode] = find_schedule(
                compiled.passed,
                options,
                compiled.limit_bytes,
                isa=compiled.isa,
                memories=compiled.memories,
                time_limit_s=time_limit_s,
                progress=progress,
            )
    return found


def _check_edges(graph: Graph, edges: Edges, options: ScheduleOptions) -> None:
    real = [graph.tensor(t).name for t in graph.inputs if graph.tensor(t).dtype is DType.FLOAT32]
    if real and options.input_mode is not InputMode.RESIDENT and edges is Edges.FLOAT:
        raise BadInput(
            f"--input {options.input_mode.value}: with --edges float the input {real[0]} is float32, and only 8-bit "
            f"images can be pulled row by row; leave out --edges float"
        )


def limit_bytes(graph: Graph, board: Board | None, options: ScheduleOptions, application_bytes: int = 0) -> int | None:
    """What the arena may take; None: as much as it likes."""
    limit = board.arena_limit_bytes if board is not None else None
    if options.sram_bytes is None:
        return limit
    assert board is not None, "an SRAM limit speaks of a board's stack"
    steps = sum(len(op.outputs) for op in graph.ops)
    static = static_ram_bound(steps + steps // 2, application_bytes)  # a rewritten graph has more of them
    left = options.sram_bytes - board.stack_bytes - GUARD_BYTES - static
    if left <= 0:
        raise DoesNotFit(
            f"{graph.name} does not fit in {options.sram_bytes:,} B of SRAM: the stack of {board.name} takes "
            f"{board.stack_bytes + GUARD_BYTES:,} B and the firmware's own variables up to {static:,} B, which leaves "
            f"nothing for the model"
        )
    return min(left, board.arena_limit_bytes)


def generate(compiled: Compiled, board_name: str | None) -> Sources:
    return generate_c(compiled.graph, compiled.schedule, compiled.plan, board_name)


def write_sources(sources: Sources, folder: Path, more: Mapping[str, str] | None = None) -> None:
    """Writes only what changed, so that nothing is rebuilt for nothing, and removes what is no longer generated."""
    files = {**sources.files, **(more or {})}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text() != text:
            path.write_text(text)
    for stale in {p.name for p in folder.iterdir()} - set(files):
        (folder / stale).unlink()
