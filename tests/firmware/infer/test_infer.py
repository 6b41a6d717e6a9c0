"""The app `infer` on every simulator, over telemetry."""

import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tessera.board import board_names, load_board
from tessera.device import Device, open_device
from tessera.device.link import Link
from tessera.errors import BadInput, BoardError
from tessera.firmware.build import build_firmware
from tessera.telemetry.codec import encode_request
from tessera.telemetry.message import Ack, Error

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed"),
]
MODEL = Path(__file__).parent / "model"
BIAS = bytes(range(16))


@pytest.fixture(scope="module", params=board_names())
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    with open_device(request.param, build_firmware(request.param, MODEL).elf) as opened:
        yield opened


@pytest.fixture(scope="module")
def qemu_m4() -> Path:
    return build_firmware("qemu-m4", MODEL).elf


def image(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(4096)


def negated(data: bytes) -> bytes:
    return bytes((BIAS[i % 16] - value) & 255 for i, value in enumerate(data))


def test_boot(device: Device) -> None:
    boot = device.boot
    assert (boot.version, boot.model, boot.hash, boot.arena_bytes) == (2, "negate", "00112233445566ff", 24640)
    assert (boot.inputs, boot.modes, boot.outputs, boot.steps) == ((4096, 16), (0, 0), (4096, 10), 3)
    assert boot.simulated
    assert boot.unit == "instructions"
    assert boot.board in board_names()


@pytest.mark.parametrize("by_uart", [False, True])
def test_outputs_and_step_crcs(device: Device, by_uart: bool) -> None:
    data = image(1)
    device.load_input(0, data, by_uart)
    device.load_input(1, BIAS, by_uart)
    result = device.run()
    whole, head = device.outputs()
    assert whole == negated(data)
    assert head == whole[:10]
    assert [step.crc for step in result.steps] == [zlib.crc32(data), zlib.crc32(whole), zlib.crc32(head)]
    assert 64 <= result.stack_bytes <= load_board(device.boot.board).stack_bytes


def test_counts_are_repeatable_with_and_without_crcs(device: Device) -> None:
    counts = set()
    for crcs in (True, False, True, False, True):
        device.load_input(0, image(2))
        device.load_input(1, BIAS)
        result = device.run(crcs)
        assert result.count == sum(step.count for step in result.steps)
        assert all((step.crc is not None) == crcs for step in result.steps)
        counts.add(tuple(step.count for step in result.steps))
    assert len(counts) == 1
    # four times as many loop turns as the other steps have words: the counter counts instructions, not zeros
    assert 4096 * 4 < next(iter(counts))[1] < 4096 * 16


def test_wrong_inputs_are_refused(device: Device) -> None:
    with pytest.raises(BadInput, match="takes 4096 bytes; 5 were given"):
        device.load_input(0, b"short")
    with pytest.raises(BadInput, match="no input 2"):
        device.load_input(2, b"")


def reply(device: Device, raw: bytes) -> tuple[int, object]:
    device.link.write(raw)
    received = device._receive(10, "test")
    assert received is not None
    return received


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("dance", {}, "unknown request"),
        ("input", {"index": 0}, "needs index"),
        ("input", {"index": 0, "offset": 4090, "data": bytes(7)}, "outside"),
        ("input", {"index": 0, "offset": 2**32 - 1, "data": bytes(7)}, "outside"),
        ("input", {"index": 9, "offset": 0, "data": bytes(7)}, "outside"),
        ("input", {"offset": 0, "data": bytes(7)}, "named by its index"),
        ("feed", {"index": 0}, "does not pull"),
        ("feed", {}, "named by its index"),
        ("output", {"index": 2}, "outside"),
        ("file", {"index": 0, "name": "absent"}, "absent or not as long"),
    ],
)
def test_a_bad_request_is_answered(device: Device, kind: str, fields: dict[str, int | str | bytes], words: str) -> None:
    number, message = reply(device, encode_request(kind, 77, **fields))
    assert number == 77
    assert isinstance(message, Error)
    assert words in message.text
    device.load_input(1, BIAS)


def test_damaged_requests_are_answered_and_the_next_one_works(device: Device) -> None:
    good = encode_request("input", 5, index=1, offset=0, data=BIAS)
    flipped = bytes([*good[:9], good[9] ^ 1 or 2, *good[10:]])
    for raw in (flipped, good[:12] + b"\0", b"\x05\x01\0", b"x" * 3000 + b"\0"):
        assert reply(device, raw) == (0, Error(Error.DAMAGED, "damaged frame"))
    assert reply(device, good) == (5, Ack())


class NoisyLink:
    """Damages every fourth frame in each direction, wherever the reads cut them."""

    def __init__(self, inner: Link) -> None:
        self.inner, self.name = inner, inner.name
        self._sent = self._received = 0
        self._at_start = True

    def write(self, data: bytes) -> None:
        self._sent += 1
        self.inner.write(data if self._sent % 4 else data[:5] + bytes([data[5] ^ 0x40 or 1]) + data[6:])

    def read(self, timeout_s: float) -> bytes:
        data = bytearray(self.inner.read(timeout_s))
        for i, byte in enumerate(data):
            if self._at_start:
                self._received += 1
                if self._received % 4 == 0:
                    data[i] = byte ^ 0x80 or 1
            self._at_start = byte == 0
        return bytes(data)

    def put_file(self, name: str, data: bytes) -> bool:
        return self.inner.put_file(name, data)

    def close(self) -> None:
        self.inner.close()


def test_a_noisy_line_delivers_the_input_whole(qemu_m4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera.device.device.RETRY_S", 0.1)
    with open_device("qemu-m4", qemu_m4) as device:
        data = image(3)
        quiet = device.link
        device.link = NoisyLink(quiet)
        device.load_input(0, data, by_uart=True)
        device.load_input(1, BIAS, by_uart=True)
        device.link = quiet
        device.run()
        assert device.outputs()[0] == negated(data)
        assert device.damaged > 0


def test_exit(qemu_m4: Path) -> None:
    with open_device("qemu-m4", qemu_m4) as device:
        assert device.exit() == 0
        with pytest.raises(BoardError, match="exit code 0"):
            device.load_input(1, BIAS)
