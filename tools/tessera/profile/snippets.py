"""A few instructions put through a cycle model."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tessera.errors import TesseraError, ToolMissing
from tessera.profile.cycles import Code, Pipeline
from tessera.profile.decode import decoder

ASSEMBLER, OBJCOPY = "arm-none-eabi-as", "arm-none-eabi-objcopy"
PASSES = 8


def assemble(text: str) -> Code:
    """Instructions from address 0 on; a `;` is between two, a label before one."""
    lines = "\n".join([".syntax unified", ".thumb", *(part.strip() for part in text.split(";")), ""])
    with tempfile.TemporaryDirectory() as folder:
        source, unit, binary = (Path(folder) / name for name in ("a.s", "a.o", "a.bin"))
        source.write_text(lines)
        _run([ASSEMBLER, "-mcpu=cortex-m7", "-mfpu=fpv5-d16", str(source), "-o", str(unit)])
        _run([OBJCOPY, "-O", "binary", "-j", ".text", str(unit), str(binary)])
        return decoder()(binary.read_bytes(), 0)


def steady_cycles(model: type[Pipeline], code: Code) -> float:
    """Of one pass of instructions that follow themselves, or of the loop that a jump at their end goes back to."""
    last = code[-1]
    start = next((n for n, i in enumerate(code) if last.jumps and i.address == last.target), 0)
    core = model()
    for i in code[:start]:
        core.issue(i)
    cycles = 0.0
    for n in range(2 * PASSES):
        if n == PASSES:
            cycles = core.now
        for i in code[start:]:
            core.issue(i)
        if last.jumps:
            core.take(last, code[start])
    return (core.now - cycles) / PASSES


def _run(line: list[str]) -> None:
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolMissing(f"{line[0]} is not installed; install the package binutils-arm-none-eabi.") from None
    if done.returncode:
        raise TesseraError(f"{line[0]} failed: {done.stderr.strip().splitlines()[-1]}")
