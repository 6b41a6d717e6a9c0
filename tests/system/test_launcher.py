"""`inv` on a machine that lacks things: it says the exact line to run and exits 3."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

INV = Path(__file__).resolve().parents[2] / "inv"


def run_inv(folder: Path, scripts: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """With nothing on PATH but a few programs and these scripts: no compiler, no simulator, no sudo."""
    for name in ("dirname", "cat", "cksum", "sh"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    environ = {"PATH": str(folder), "PYTHON": sys.executable, "TESSERA_VENV": str(folder / "venv")}
    return subprocess.run(["/bin/sh", str(INV), "--list"], env=environ, capture_output=True, text=True)


PACKAGES = ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi", "qemu-system-arm", "gcc", "libc6-dev")


def test_without_root_it_prints_the_line_to_run(tmp_path: Path) -> None:
    done = run_inv(tmp_path, {"id": "echo 1000", "apt-get": "exit 1"})
    assert done.returncode == 3
    line = "inv: please run as root: apt-get install -y --no-install-recommends "
    assert done.stderr.startswith(line)
    assert set(done.stderr.removeprefix(line).split()) == set(PACKAGES)
    assert not (tmp_path / "venv").exists()


def test_without_apt_it_names_what_is_missing(tmp_path: Path) -> None:
    done = run_inv(tmp_path, {"id": "echo 0"})
    assert done.returncode == 3
    assert done.stderr.startswith("inv: please install: ")
    assert set(done.stderr.removeprefix("inv: please install: ").split()) == set(PACKAGES)


def test_as_root_it_installs_them(tmp_path: Path) -> None:
    """apt-get fails here, so nothing goes on after it; what it was asked for is in its log."""
    log = tmp_path / "apt.log"
    env = 'while [ "${1#*=}" != "$1" ]; do shift; done; exec "$@"'
    done = run_inv(tmp_path, {"id": "echo 0", "env": env, "apt-get": f'echo "$@" >> {log}; [ "$1" = update ]'})
    assert done.returncode != 0
    update, install = log.read_text().splitlines()
    assert update == "update -q"
    assert set(install.split()) >= {"install", "-y", *PACKAGES}
