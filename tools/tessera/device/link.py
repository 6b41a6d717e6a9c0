"""The byte stream to a device: QEMU with its UART on a socket, or a serial port."""

import atexit
import ctypes
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

import serial

from tessera.board import Board
from tessera.errors import BadInput, BoardError, ToolMissing

QEMU = "qemu-system-arm"
BAUD = 115200
EXIT_S = 5.0
"""Patience with a process that should end by itself."""


class Link(Protocol):
    name: str
    """For messages: `h7 (simulated)`, `h7 on /dev/ttyACM0`."""

    def read(self, timeout_s: float) -> bytes:
        """What has come, at the latest after `timeout_s`; empty if nothing has. BoardError if the other end is gone."""
        ...

    def write(self, data: bytes) -> None: ...

    def put_file(self, name: str, data: bytes) -> bool:
        """Leaves a file where the firmware can read it; False if it cannot read files."""
        ...

    def close(self) -> None: ...


class SimulatorLink:
    """A QEMU process. Its UART is a socket pair: no terminal, no port, no name that another process could take."""

    def __init__(self, board: Board, elf: Path) -> None:
        if shutil.which(QEMU) is None:
            raise ToolMissing(f"{QEMU} is not installed; install the package qemu-system-arm.")
        if not elf.is_file():
            raise BadInput(f"There is no firmware {elf}; build it first.")
        self.name = f"{board.name} (simulated)"
        self._folder = tempfile.TemporaryDirectory(prefix="tessera-")
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self._socket, theirs = socket.socketpair()
        command = [
            *(QEMU, "-display", "none", "-monitor", "none", "-M", board.simulator.machine),
            *("-chardev", f"socket,id=uart,fd={theirs.fileno()}", "-serial", "chardev:uart"),
            *("-semihosting-config", "enable=on,target=native", *board.simulator.args),
            *("-kernel", str(elf.resolve())),
        ]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder.name,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                preexec_fn=_die_with_parent,
            )
        finally:
            theirs.close()
        atexit.register(self.close)

    def read(self, timeout_s: float) -> bytes:
        ready, _, _ = select.select([self._socket], [], [], timeout_s)
        if not ready:
            return b""
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise BoardError(self._obituary())
        return data

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            raise BoardError(self._obituary()) from None

    def put_file(self, name: str, data: bytes) -> bool:
        (Path(self._folder.name) / name).write_bytes(data)
        return True

    def wait(self) -> int:
        """The exit code of QEMU, which must be about to end."""
        try:
            return self._process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            raise BoardError(f"QEMU of {self.name} closed its UART but does not end.") from None

    def close(self) -> None:
        """Ends QEMU if it runs and reaps it. May be called again."""
        atexit.unregister(self.close)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(EXIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._socket.close()
        self._stderr.close()
        self._folder.cleanup()

    def _obituary(self) -> str:
        code = self.wait()
        self._stderr.seek(0)
        lines = [line.strip() for line in self._stderr.read().decode(errors="replace").splitlines() if line.strip()]
        said = f": {lines[0]}" if lines else ", without a word"
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"QEMU of {self.name} {how}{said}."


class SerialLink:
    """A board on a serial port."""

    def __init__(self, board: Board, port: str) -> None:
        self.name = f"{board.name} on {port}"
        try:
            self._serial = serial.serial_for_url(port, BAUD, timeout=0, exclusive=True)
        except (serial.SerialException, ValueError) as error:
            why = "is busy" if "lock" in str(error).lower() or "busy" in str(error).lower() else "cannot be opened"
            raise BoardError(f"The port {port} {why}: {_first_line(error)}.") from None

    def read(self, timeout_s: float) -> bytes:
        try:
            self._serial.timeout = timeout_s
            first = self._serial.read(1)
            return bytes(first + self._serial.read(self._serial.in_waiting)) if first else b""
        except (serial.SerialException, OSError) as error:
            raise BoardError(f"{self.name} is gone: {_first_line(error)}.") from None

    def write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise BoardError(f"{self.name} is gone: {_first_line(error)}.") from None

    def put_file(self, name: str, data: bytes) -> bool:  # noqa: ARG002
        return False

    def close(self) -> None:
        self._serial.close()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """In the child: ends QEMU when we are killed and cannot reap it (PR_SET_PDEATHSIG)."""
    if _libc is not None:
        _libc.prctl(1, signal.SIGTERM)
