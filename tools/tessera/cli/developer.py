"""Tasks for those who change Tessera: tests, style, generated pages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tessera.errors import TesseraError
from tessera.models import ROOT

PYTHON_FILES = ("tools", "tests", "models", "boards", "tasks.py")


def test(quick: bool, args: str) -> None:
    extra = ["-m", "not slow"] if quick else []
    _run([sys.executable, "-m", "pytest", *extra, *args.split()], "a test failed")


def lint(fix: bool) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    _run([*ruff, "check", *(["--fix"] if fix else []), *PYTHON_FILES], "ruff check found something")
    _run(
        [*ruff, "format", *([] if fix else ["--check"]), *PYTHON_FILES],
        "a Python file is not formatted: ./inv lint --fix",
    )
    _run([sys.executable, "-m", "mypy", "tools/tessera"], "mypy found something")
    sources = sorted(str(p.relative_to(ROOT)) for part in ("firmware", "tools") for p in (ROOT / part).rglob("*.[ch]"))
    _run(
        ["clang-format", *(["-i"] if fix else ["--dry-run", "-Werror"]), *sources],
        "a C file is not formatted: ./inv lint --fix",
    )


def docs() -> None:
    from tessera.report.cycle_model_page import cycle_model_page
    from tessera.report.docs_pictures import docs_pictures
    from tessera.report.operators_page import operators_page

    (ROOT / "docs" / "operators.md").write_text(operators_page())
    (ROOT / "docs" / "cycle_model.md").write_text(cycle_model_page())
    pictures = ROOT / "docs" / "pictures"
    pictures.mkdir(exist_ok=True)
    for name, text in docs_pictures():
        (pictures / name).write_text(text)


def _run(line: list[str], failure: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if subprocess.run(line, cwd=ROOT, env={**os.environ, "PATH": path}, check=False).returncode:
        raise TesseraError(failure)
