"""The app on a serial port, through pytest-embedded: a pseudo-terminal of QEMU stands in for the board's."""

import os
import pty
import shutil
import subprocess
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tessera.device import open_device
from tessera.firmware.build import build_firmware
from tessera.telemetry.codec import encode_request

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed"),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture
def port() -> Iterator[str]:
    elf = build_firmware("qemu-m4", Path(__file__).parent / "model").elf
    master, slave = pty.openpty()
    tty.setraw(slave)
    command = ["qemu-system-arm", "-display", "none", "-monitor", "none", "-M", "mps2-an386", "-serial", "stdio"]
    command += ["-semihosting-config", "enable=on,target=native", "-icount", "shift=6", "-kernel", str(elf)]
    process = subprocess.Popen(command, stdin=master, stdout=master)
    yield os.ttyname(slave)
    process.terminate()
    process.wait(10)
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("embedded_services", ["serial"], indirect=True)
def test_hello_by_pytest_embedded(dut: Any) -> None:
    dut.write(b"\0" + encode_request("hello", 1))
    dut.expect_exact("negate", timeout=20)
    dut.expect_exact("instructions", timeout=20)


def test_a_device_on_a_port_takes_its_input_over_the_uart(port: str) -> None:
    with open_device("qemu-m4", port=port) as device:
        device.load_input(0, bytes(4096))
        device.load_input(1, bytes(range(16)))
        device.run()
        assert device.outputs()[1] == bytes(range(10))
