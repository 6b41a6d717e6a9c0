"""The plugin that counts inside QEMU, compiled for the QEMU at hand."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tessera.device.link import QEMU
from tessera.errors import TesseraError, ToolMissing
from tessera.models import ROOT

SOURCES = Path(__file__).parent / "plugin"
CACHE = ROOT / "build" / "profile"
GCC = "gcc"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Werror")
FLAGS = ("-std=gnu11", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", *WARNINGS)
APIS = (((9, 1), 3), ((8, 2, 4), 2), ((6, 0), 1))
"""First version of QEMU that has a version of the interface which the plugin speaks, the newest first."""


def plugin() -> Path:
    """Compiled once for its text and an interface version, and kept."""
    flags = (*FLAGS, f"-DTESS_PLUGIN_API={plugin_api(qemu_version())}")
    key = hashlib.sha256("\0".join(flags).encode())
    for path in sorted(SOURCES.iterdir()):
        key.update(path.read_bytes())
    library = CACHE / f"trace-{key.hexdigest()[:16]}.so"
    if not library.is_file():
        _compile(flags, library)
    return library


def qemu_version() -> tuple[int, ...]:
    if shutil.which(QEMU) is None:
        raise ToolMissing(f"{QEMU} is not installed; install the package qemu-system-arm.")
    said = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)\.(\d+)(?:\.(\d+))?", said)
    if found is None:
        raise ToolMissing(f"{QEMU} --version says {said.strip()!r}, which names no version; install QEMU 6.0 or newer.")
    return tuple(int(part) for part in found.groups() if part is not None)


def plugin_api(version: tuple[int, ...]) -> int:
    """The version of the plugin interface to build for."""
    for first, api in APIS:
        if version >= first:
            return api
    raise ToolMissing(f"QEMU {'.'.join(map(str, version))} has no plugins that can profile; install QEMU 6.0 or newer.")


def _compile(flags: tuple[str, ...], library: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=CACHE, suffix=".so", delete=False) as file:
        partial = Path(file.name)
    try:
        line = [GCC, *flags, str(SOURCES / "trace.c"), "-o", str(partial)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            why = next((x for x in done.stderr.splitlines() if "error" in x), done.stderr.strip())
            raise TesseraError(f"{GCC} does not compile the profiler's plugin: {why}")
        os.replace(partial, library)
    except FileNotFoundError:
        raise ToolMissing(f"{GCC} is not installed; install the packages gcc libc6-dev.") from None
    finally:
        partial.unlink(missing_ok=True)
