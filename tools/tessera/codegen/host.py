"""Generated C compiled and run on this machine, with AddressSanitizer and UndefinedBehaviorSanitizer by default."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tessera.codegen.generate import Sources
from tessera.codegen.runner import (
    COMMON_FLAGS,
    LIBRARY,
    PORT,
    Program,
    Request,
    Run,
    Toolchain,
    build_program,
    run_program,
)
from tessera.errors import TesseraError
from tessera.models import ROOT

FLAGS = ("-O1", "-g1", *COMMON_FLAGS)
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer")


def build_host(sources: Sources | Sequence[Sources], out_dir: Path, sanitize: bool = True) -> Program:
    """One program for all of `sources`, whose names must differ. Kernels of other instruction sets are left out."""
    flags = (*FLAGS, *(SANITIZE if sanitize else ()))
    tools = Toolchain("gcc", "gcc", flags, (), ROOT / "build" / "host")
    library = [path for path in LIBRARY.rglob("*.c") if path.parent.name != "dsp"]
    return build_program(sources, out_dir, tools, sorted([*library, *PORT.glob("*.c")]))


def run_host(program: Program, inputs: Sequence[NDArray[Any]], model: int = 0) -> Run:
    (run,) = run_host_batch(program, [Request(model, inputs)])
    return run


def run_host_batch(program: Program, requests: Sequence[Request]) -> list[Run]:
    """Answers in the order of the requests; raises TesseraError with the sanitizer's report."""

    def ask(question: bytes) -> bytes:
        done = subprocess.run([str(program.exe)], input=question, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace")
            raise TesseraError(f"{program.exe.name} ended with {done.returncode}: {said}")
        return done.stdout

    return run_program(program, requests, ask)
