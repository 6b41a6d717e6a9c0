"""generate_c: the C of a model, and plan.json beside it. Deterministic: the same arguments give the same bytes."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from tessera.codegen.document import Document, make_document
from tessera.codegen.names import clean
from tessera.codegen.plan_json import plan_json
from tessera.ir.graph import Graph
from tessera.kernels.select import select_kernels
from tessera.memory.plan import MemoryPlan
from tessera.schedule.schedule import Schedule


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """File name -> text. `symbol` is the tess_model_t, `hash` names source model and plan."""

    name: str
    symbol: str
    hash: str
    step_count: int
    output_bytes: tuple[int, ...]
    buffers: tuple[tuple[int, int, int], ...]  # memory, offset, bytes: all that the code may touch
    files: Mapping[str, str]


def generate_c(graph: Graph, schedule: Schedule, plan: MemoryPlan, board_name: str | None) -> Sources:
    assert schedule.graph is graph
    kernels = select_kernels(graph, schedule)
    document = make_document(schedule, plan, kernels, c_name(graph.name))
    model_hash = _hash(graph, document)
    facts = {"hash": model_hash, "board": board_name or "any"}
    files = {file: _render(template, document, facts) for file, template in _files(document.name).items()}
    report = plan_json(schedule, plan, kernels, document, model_hash, board_name)
    files["plan.json"] = json.dumps(report, indent=2) + "\n"
    return Sources(
        name=document.name,
        symbol=f"{document.name}_model",
        hash=model_hash,
        step_count=len(kernels),
        output_bytes=tuple(t.nbytes for t in document.outputs),
        buffers=tuple((b.place.memory, b.place.offset, b.nbytes) for b in document.buffers),
        files=files,
    )


def c_name(name: str) -> str:
    """The model's name as a C identifier."""
    text = clean(name) or "model"
    return text if text[0].isalpha() else f"m_{text}"


def _files(name: str) -> dict[str, str]:
    return {
        f"{name}.h": "model.h.jinja2",
        f"{name}.c": "model.c.jinja2",
        f"{name}_weights.h": "weights.h.jinja2",
        "tess_model_config.h": "config.h.jinja2",
    }


def _hash(graph: Graph, document: Document) -> str:
    """16 hexadecimal digits of the source model and of everything that is generated from it."""
    digest = hashlib.sha256(graph.source_sha256.encode())
    for template in _files(document.name).values():
        digest.update(_render(template, document, {"hash": "", "board": ""}).encode())
    return digest.hexdigest()[:16]


@functools.cache
def environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _render(template: str, document: Document, facts: dict[str, Any]) -> str:
    return environment().get_template(template).render(m=document, **facts)
