"""Generated C as code of a Cortex-M4 with its DSP instructions, run in QEMU, which counts instructions.

The same runner as on the host: what it is asked and what it answers are files that QEMU's semihosting reads and writes.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

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
from tessera.errors import TesseraError, ToolMissing
from tessera.models import ROOT

CROSS_PORT = ROOT / "firmware" / "port" / "cross"
CPU = ("-mthumb", "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
SECTIONS = ("-ffunction-sections", "-fdata-sections")
LINK = ("-nostartfiles", "--specs=rdimon.specs", f"-Wl,--gc-sections,-T,{CROSS_PORT / 'mps2.ld'}", "-lm")
MACHINE = ("-M", "mps2-an386", "-display", "none", "-serial", "none", "-monitor", "none")
# start.c turns ticks of a 25 MHz timer back into instructions of 64 ns
COUNTING = ("-icount", "shift=6", "-semihosting-config", "enable=on,target=native")
TIMEOUT_S = 600


def build_cross(sources: Sources | Sequence[Sources], out_dir: Path, optimisation: str = "-Os") -> Program:
    """One program for all of `sources`, whose names must differ."""
    flags = (*CPU, optimisation, "-g1", *SECTIONS, *COMMON_FLAGS)
    tools = Toolchain("arm-none-eabi-gcc", "gcc-arm-none-eabi", flags, LINK, ROOT / "build" / "cross")
    library = sorted([*LIBRARY.rglob("*.c"), *LIBRARY.rglob("*.S")])
    runner = [PORT / "main.c", PORT / "panic.c", CROSS_PORT / "start.c"]
    return build_program(sources, out_dir, tools, [*library, *runner])


def run_cross_batch(program: Program, requests: Sequence[Request]) -> list[Run]:
    """Answers in the order of the requests; raises TesseraError with what the program said, also of a fault."""

    def ask(question: bytes) -> bytes:
        with tempfile.TemporaryDirectory(dir=program.exe.parent) as folder:
            (Path(folder) / "question").write_bytes(question)
            line = ["qemu-system-arm", *MACHINE, *COUNTING, "-kernel", str(program.exe.resolve())]
            try:
                done = subprocess.run(line, cwd=folder, capture_output=True, check=False, timeout=TIMEOUT_S)
            except FileNotFoundError:
                raise ToolMissing("qemu-system-arm is not installed: run through ./inv") from None
            except subprocess.TimeoutExpired:
                raise TesseraError(f"{program.exe.name} did not end within {TIMEOUT_S} s") from None
            if done.returncode:
                said = (done.stdout + done.stderr).decode(errors="replace")
                raise TesseraError(f"{program.exe.name} ended with {done.returncode} in QEMU: {said}")
            return (Path(folder) / "answer").read_bytes()

    return run_program(program, requests, ask)
