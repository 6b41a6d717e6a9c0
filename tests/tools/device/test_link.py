"""Ports and simulators that are not there, or go away."""

import os
import pty
import shutil
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from tessera.device import open_device
from tessera.errors import BadInput, BoardError, ToolMissing


@pytest.fixture
def terminal() -> Iterator[str]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_an_absent_port() -> None:
    with (
        pytest.raises(BoardError, match="port /dev/ttyNOTHERE cannot be opened"),
        open_device("h7", port="/dev/ttyNOTHERE"),
    ):
        pass


def test_a_busy_port(terminal: str) -> None:
    with (
        serial.Serial(terminal, exclusive=True),
        pytest.raises(BoardError, match="is busy"),
        open_device("h7", port=terminal),
    ):
        pass


def test_a_silent_port(terminal: str) -> None:
    with pytest.raises(BoardError, match="does not answer"), open_device("h7", port=terminal, silence_s=0.6):
        pass


def test_neither_firmware_nor_port() -> None:
    with pytest.raises(BadInput, match="needs a firmware"), open_device("h7"):
        pass


def test_no_simulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="qemu-system-arm is not installed"), open_device("h7", tmp_path / "x.elf"):
        pass


@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
def test_qemu_that_ends_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "bad.elf").write_bytes(b"")
    with (
        pytest.raises(BoardError, match=r"QEMU of h7 .simulated. "),
        open_device("h7", tmp_path / "bad.elf", silence_s=5),
    ):
        pass


@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")
def test_no_firmware(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no firmware"), open_device("h7", tmp_path / "absent.elf"):
        pass
