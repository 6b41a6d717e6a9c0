"""What the generated whole-map calls do not show: spans of a row, the runtime's refusals, quantize at the limits."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tessera.codegen.host import FLAGS, SANITIZE
from tessera.codegen.runner import LIBRARY, PORT

HERE = Path(__file__).parent


@pytest.mark.parametrize("program", sorted(HERE.glob("*.c")), ids=lambda p: p.stem)
def test_c_program(program: Path, tmp_path: Path) -> None:
    exe = tmp_path / program.stem
    sources = [program, PORT / "panic.c", *sorted(p for p in LIBRARY.rglob("*.c") if p.parent.name != "dsp")]
    subprocess.run(["gcc", *FLAGS, *SANITIZE, *map(str, sources), "-o", str(exe)], check=True)
    done = subprocess.run([str(exe)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
