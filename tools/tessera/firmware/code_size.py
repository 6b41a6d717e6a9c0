"""Machine code that a generated model needs: its own functions and the kernels that it links, nothing else."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from elftools.elf.elffile import ELFFile

from tessera.board import Board
from tessera.codegen.generate import Sources
from tessera.errors import TesseraError, ToolMissing
from tessera.models import ROOT

LIBRARY = ROOT / "firmware" / "lib" / "tessera"
CACHE = ROOT / "build" / "kernels"
GCC = "arm-none-eabi-gcc"
FLAGS = ("-std=c11", "-mthumb", "-ffunction-sections", "-fdata-sections")
SMALL, FAST = ("-Os",), ("-O2", "-fno-tree-loop-distribute-patterns")  # as in boards/platform/builder/main.py


def code_bytes(sources: Sources, board: Board) -> int:
    """Bytes of instructions after linking only what the model uses (`--gc-sections`), compiled for the board's core."""
    library = _library_objects(board)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, content in sources.files.items():
            (folder / name).write_text(content)
        elf = folder / "model.elf"
        generated = sorted(str(folder / f) for f in sources.files if f.endswith(".c"))
        link = ["-nostdlib", "-Wl,--gc-sections", f"-Wl,-e,{sources.symbol}", f"-Wl,-u,{sources.symbol}"]
        _gcc(board, [*SMALL, *generated, *library, *link, "-Wl,--unresolved-symbols=ignore-all", "-o", str(elf)])
        with elf.open("rb") as stream:
            text = ELFFile(stream).get_section_by_name(".text")
            return int(text["sh_size"]) if text else 0


def _library_objects(board: Board) -> list[str]:
    """The kernel library, compiled once for a core and kept until a source changes."""
    files = sorted([*LIBRARY.rglob("*.c"), *LIBRARY.rglob("*.S")])
    key = hashlib.sha256("\0".join([*board.cpu_flags, *FLAGS, *SMALL, *FAST]).encode())
    for path in [*files, *sorted(LIBRARY.rglob("*.h"))]:
        key.update(path.read_bytes())
    folder = CACHE / key.hexdigest()[:16]
    objects = {f: folder / f"{f.parent.name}_{f.name}.o" for f in files}
    folder.mkdir(parents=True, exist_ok=True)
    missing = [f for f, o in objects.items() if not o.is_file()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda f: _gcc(board, [*_level(f), "-c", str(f), "-o", str(objects[f])]), missing))
    return [str(o) for o in objects.values()]


def _level(source: Path) -> tuple[str, ...]:
    return FAST if source.parent.name == "ref" or source.name == "stage.c" else SMALL


def _gcc(board: Board, arguments: list[str]) -> None:
    line = [GCC, *board.cpu_flags, *FLAGS, f"-I{LIBRARY / 'include'}", *arguments]
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolMissing(f"{GCC} is not installed: run through ./inv, or apt-get install gcc-arm-none-eabi") from None
    if done.returncode:
        raise TesseraError(f"{GCC} failed on generated code: {done.stderr.strip().splitlines()[0]}")
