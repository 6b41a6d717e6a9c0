"""A firmware that goes wrong is named, in bounded time; QEMU is reaped."""

import shutil
from pathlib import Path

import pytest

from tessera.board import board_names
from tessera.device import FirmwareFault, open_device
from tessera.device.link import SimulatorLink
from tessera.errors import BoardError
from tessera.firmware.build import build_firmware

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed"),
]
MODEL = Path(__file__).parent / "model"
STACK_OVERFLOW, BUS_FAULT, ASSERTION, HANG, UNDEFINED, DIVIDE, SUPERVISOR_CALL, BIG_FRAME = range(1, 9)


@pytest.fixture(scope="module", params=board_names())
def elf(request: pytest.FixtureRequest) -> tuple[str, Path]:
    return request.param, build_firmware(request.param, MODEL).elf


@pytest.mark.parametrize(
    ("trouble", "kind", "exception"),
    [
        (STACK_OVERFLOW, "stack overflow", 4),
        (BUS_FAULT, "bus fault", 5),
        (UNDEFINED, "usage fault", 6),
        (DIVIDE, "usage fault", 6),
        (SUPERVISOR_CALL, "unexpected interrupt", 11),
        (BIG_FRAME, "stack overflow", 4),
    ],
)
def test_a_fault_is_named(elf: tuple[str, Path], trouble: int, kind: str, exception: int) -> None:
    with open_device(*elf) as device:
        device.load_input(0, bytes([trouble]))
        with pytest.raises(FirmwareFault, match=f"{elf[0]} .simulated. stopped with an? {kind} in step 1") as caught:
            device.run()
        assert (caught.value.fault.exception, caught.value.fault.step) == (exception, 1)
        assert isinstance(device.link, SimulatorLink)
        assert device.link.wait() == 40 + exception
        if kind != "stack overflow":  # then the frame with the PC could not be stored
            assert "in run" in str(caught.value)


@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m7"])
def test_an_assertion_names_its_line(board: str) -> None:
    with open_device(board, build_firmware(board, MODEL).elf) as device:
        device.load_input(0, bytes([ASSERTION]))
        with pytest.raises(FirmwareFault, match=r"an assertion in step 1 .*faults\.c:\d+"):
            device.run()


def test_a_hang_is_an_error_in_bounded_time(elf: tuple[str, Path]) -> None:
    with open_device(*elf, silence_s=1.5) as device:
        device.load_input(0, bytes([HANG]))
        with pytest.raises(BoardError, match=r"hangs: no telemetry for 1\.5 s after the request run"):
            device.run()
        link = device.link
    assert isinstance(link, SimulatorLink)
    assert link._process.returncode is not None


def test_a_firmware_that_never_answers(tmp_path: Path) -> None:
    (tmp_path / "empty.elf").write_bytes(bytes(64))
    with (
        pytest.raises(BoardError, match=r"QEMU of qemu-m4|does not answer"),
        open_device("qemu-m4", tmp_path / "empty.elf", silence_s=1.5),
    ):
        pass
