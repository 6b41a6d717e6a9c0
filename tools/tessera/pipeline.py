"""The one flow: .tflite -> Graph -> Schedule -> MemoryPlan -> C. Each stage is a function of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tessera.codegen.generate import Sources, generate_c
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import Graph
from tessera.kernels.call import Step
from tessera.kernels.select import select_kernels
from tessera.memory.plan import MemoryPlan
from tessera.memory.planner import plan_memory
from tessera.models import ROOT, ModelFile
from tessera.passes import EDGES_FLOAT_PASSES, PASSES, run_passes
from tessera.schedule.layerwise import make_schedule
from tessera.schedule.schedule import Schedule

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
    schedule: Schedule
    plan: MemoryPlan
    kernels: tuple[Step, ...]

    @property
    def graph(self) -> Graph:
        """The graph that runs: after the passes."""
        return self.schedule.graph


def compile_model(model: ModelFile, *, edges: Edges = Edges.INT8, time_limit_s: float = 10.0) -> Compiled:
    content = model.read()
    loaded = load_tflite(content, name=model.name)
    graph = run_passes(loaded, EDGES_FLOAT_PASSES if edges is Edges.FLOAT else PASSES)
    schedule = make_schedule(graph)
    kernels = select_kernels(graph, schedule)
    scratch = max((k.scratch_bytes for k in kernels), default=0)
    plan = plan_memory(schedule, time_limit_s=time_limit_s, scratch_bytes=scratch)
    return Compiled(model, content, loaded, schedule, plan, kernels)


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
