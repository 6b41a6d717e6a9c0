"""Programs that run generated models for tests and measurements, on this machine (host.py) or as code of a Cortex-M4
(cross.py): what they have in common. firmware/port/host/main.c says what such a program is asked and answers."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tessera.codegen.generate import Sources, environment
from tessera.errors import TesseraError, ToolMissing
from tessera.models import ROOT

LIBRARY = ROOT / "firmware" / "lib" / "tessera"
PORT = ROOT / "firmware" / "port" / "host"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Werror")
COMMON_FLAGS = ("-std=c11", *WARNINGS, "-DTESS_ASSERT_ENABLED", f"-I{LIBRARY / 'include'}", f"-I{PORT}")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run answered: the check value of every step (schedule/check.py), the outputs' bytes, and how many
    instructions the kernels of every step took (0 where the runner cannot count)."""

    step_checks: tuple[int, ...]
    outputs: tuple[bytes, ...]
    step_instructions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunnerModel:
    """What the runner's answer to a model consists of."""

    steps: int
    output_bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One inference: which model of the runner, with which inputs."""

    model: int
    inputs: Sequence[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Program:
    exe: Path
    models: tuple[RunnerModel, ...]


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler, how it is called, and where its objects of the library are kept."""

    compiler: str
    package: str  # what to install where the compiler is missing
    flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    cache: Path


def build_program(
    sources: Sources | Sequence[Sources], out_dir: Path, tools: Toolchain, library: Sequence[Path]
) -> Program:
    """One program for all of `sources`, whose names must differ. An object of `library` is compiled once and kept until
    its source, a header or a flag changes."""
    several = [sources] if isinstance(sources, Sources) else list(sources)
    assert len({s.name for s in several}) == len(several), "models of one program need different names"
    out_dir.mkdir(parents=True, exist_ok=True)
    for s in several:
        for file, text in s.files.items():
            if not file.startswith("tess_") and file.endswith((".c", ".h")):
                (out_dir / file).write_text(text)
    models = environment().get_template("host_models.c.jinja2").render(models=several)
    (out_dir / "host_models.c").write_text(models)
    units = [out_dir / "host_models.c", *(out_dir / f"{s.name}.c" for s in several)]
    objects = [unit.with_suffix(".o") for unit in units]
    _compile([*zip(units, objects, strict=True)], tools)
    objects += _library_objects(library, tools)
    exe = out_dir / "runner"
    # a link may have more objects than a command line has room for
    (out_dir / "objects").write_text("\n".join(map(str, objects)))
    _call(tools, [*tools.flags, f"@{out_dir / 'objects'}", *tools.link_flags, "-o", str(exe)])
    return Program(exe, tuple(RunnerModel(s.step_count, s.output_bytes) for s in several))


def run_program(program: Program, requests: Sequence[Request], ask: Callable[[bytes], bytes]) -> list[Run]:
    """Answers in the order of the requests; `ask` runs the program."""
    question = b"".join(r.model.to_bytes(4, "little") + b"".join(a.tobytes() for a in r.inputs) for r in requests)
    answer, at = ask(question), 0

    def take(nbytes: int) -> bytes:
        nonlocal at
        at += nbytes
        return answer[at - nbytes : at]

    def numbers(count: int, nbytes: int) -> tuple[int, ...]:
        return tuple(int.from_bytes(take(nbytes), "little") for _ in range(count))

    runs = []
    for model in (program.models[r.model] for r in requests):
        checks, instructions = numbers(model.steps, 4), numbers(model.steps, 8)
        runs.append(Run(checks, tuple(take(n) for n in model.output_bytes), instructions))
    assert at == len(answer), "the runner answered another number of bytes"
    return runs


def _library_objects(files: Sequence[Path], tools: Toolchain) -> list[Path]:
    shared = hashlib.sha256("\0".join([tools.compiler, *tools.flags]).encode())
    for path in sorted([*LIBRARY.rglob("*.h"), *PORT.glob("*.h")]):
        shared.update(path.read_bytes())
    folder = tools.cache / shared.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    objects, missing = [], []
    for path in files:
        text = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        kept = folder / f"{path.parent.name}-{path.name}-{text}.o"
        objects.append(kept)
        if not kept.is_file():
            missing.append((path, kept.with_name(f"{os.getpid()}-{kept.name}")))
    _compile(missing, tools)
    for _, new in missing:
        new.rename(new.with_name(new.name.partition("-")[2]))
    return objects


def _compile(units: Sequence[tuple[Path, Path]], tools: Toolchain) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda unit: _call(tools, [*tools.flags, "-c", str(unit[0]), "-o", str(unit[1])]), units))


def _call(tools: Toolchain, arguments: Sequence[str]) -> None:
    try:
        done = subprocess.run([tools.compiler, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolMissing(
            f"{tools.compiler} is not installed: run through ./inv, or apt-get install {tools.package}"
        ) from None
    if done.returncode:
        raise TesseraError(f"{tools.compiler} failed on generated code: {done.stderr.strip()}")
