"""Generated C compiled and run on this machine, with AddressSanitizer and UndefinedBehaviorSanitizer by default."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
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
CACHE = ROOT / "build" / "host"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Werror")
FLAGS = ("-std=c11", "-O1", "-g1", *WARNINGS, "-DTESS_ASSERT_ENABLED", f"-I{LIBRARY / 'include'}", f"-I{PORT}")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")


@dataclass(frozen=True, slots=True)
class HostRun:
    """What a run answered: the check value of every step (schedule/check.py), and the outputs' bytes."""

    step_checks: tuple[int, ...]
    outputs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HostModel:
    """What the runner's answer to a model consists of."""

    steps: int
    output_bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HostRequest:
    """One inference: which model of the runner, with which inputs."""

    model: int
    inputs: Sequence[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class HostProgram:
    exe: Path
    models: tuple[HostModel, ...]


def build_host(sources: Sources | Sequence[Sources], out_dir: Path, sanitize: bool = True) -> HostProgram:
    """One program for all of `sources`, whose names must differ. The kernel library is compiled once and kept."""
    several = [sources] if isinstance(sources, Sources) else list(sources)
    assert len({s.name for s in several}) == len(several), "models of one program need different names"
    flags = (*FLAGS, *(SANITIZE if sanitize else ()))
    out_dir.mkdir(parents=True, exist_ok=True)
    for s in several:
        for file, text in s.files.items():
            if not file.startswith("tess_") and file.endswith((".c", ".h")):
                (out_dir / file).write_text(text)
    models = environment().get_template("host_models.c.jinja2").render(models=several)
    (out_dir / "host_models.c").write_text(models)
    library = _library_objects(flags)
    units = [out_dir / "host_models.c", *(out_dir / f"{s.name}.c" for s in several)]
    exe = out_dir / "host"
    _gcc([*flags, *map(str, _compile(units, out_dir, flags)), *map(str, library), "-o", str(exe)])
    return HostProgram(exe, tuple(HostModel(s.step_count, s.output_bytes) for s in several))


def run_host(program: HostProgram, inputs: Sequence[NDArray[Any]], model: int = 0) -> HostRun:
    (run,) = run_host_batch(program, [HostRequest(model, inputs)])
    return run


def run_host_batch(program: HostProgram, requests: Sequence[HostRequest]) -> list[HostRun]:
    """Answers in the order of the requests; raises TesseraError with the sanitizer's report."""
    question = b"".join(r.model.to_bytes(4, "little") + b"".join(a.tobytes() for a in r.inputs) for r in requests)
    done = subprocess.run([str(program.exe)], input=question, capture_output=True, check=False)
    if done.returncode:
        raise TesseraError(f"{program.exe.name} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    answer, at, runs = done.stdout, 0, []
    for request in requests:
        model = program.models[request.model]
        crcs = tuple(int.from_bytes(answer[at + 4 * i : at + 4 * i + 4], "little") for i in range(model.steps))
        at += 4 * model.steps
        outputs = []
        for nbytes in model.output_bytes:
            outputs.append(answer[at : at + nbytes])
            at += nbytes
        runs.append(HostRun(crcs, tuple(outputs)))
    assert at == len(answer), "the runner answered another number of bytes"
    return runs


def _library_objects(flags: Sequence[str]) -> list[Path]:
    """Kernels, runtime and runner; kept until a source or a flag changes."""
    files = sorted([*LIBRARY.rglob("*.c"), *PORT.glob("*.c")])
    key = hashlib.sha256("\0".join(flags).encode())
    for path in sorted([*files, *LIBRARY.rglob("*.h"), *PORT.glob("*.h")]):
        key.update(path.read_bytes())
    folder = CACHE / key.hexdigest()[:16]
    if not (folder / "complete").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _compile(files, folder, flags)
        (folder / "complete").touch()
    return [folder / f"{f.stem}.o" for f in files]


def _compile(files: Sequence[Path], folder: Path, flags: Sequence[str]) -> list[Path]:
    objects = [folder / f"{f.stem}.o" for f in files]
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda pair: _gcc([*flags, "-c", str(pair[0]), "-o", str(pair[1])]), zip(files, objects, strict=True)
            )
        )
    return objects


def _gcc(arguments: Sequence[str]) -> None:
    try:
        done = subprocess.run(["gcc", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolMissing("gcc is not installed: run through ./inv, or apt-get install gcc") from None
    if done.returncode:
        raise TesseraError(f"gcc failed on generated code: {done.stderr.strip()}")
