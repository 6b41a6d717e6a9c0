"""An input that the model pulls row by row: from a file of a simulator, and from the host over the line."""

import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tessera.board import board_names
from tessera.device import Device, RunResult, open_device
from tessera.device.link import Link
from tessera.errors import BoardError
from tessera.firmware.build import build_firmware
from tessera.telemetry.codec import MessageDecoder, encode_request
from tessera.telemetry.message import Ack, Error, Message, Progress, Result, Steps, Want

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed"),
]
MODEL = Path(__file__).parent / "pulled"
H, W, C = 8, 200, 3
BIAS = 5


@pytest.fixture(scope="module", params=board_names())
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    with open_device(request.param, build_firmware(request.param, MODEL).elf) as opened:
        yield opened


@pytest.fixture(scope="module")
def elf() -> Path:
    return build_firmware("qemu-m4", MODEL).elf


@pytest.fixture
def qemu_m4(elf: Path) -> Iterator[Device]:
    """One that no test has used before."""
    with open_device("qemu-m4", elf) as opened:
        yield opened


def image(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (H, W, C), np.uint8)


def run(device: Device, pixels: np.ndarray, by_uart: bool, crcs: bool = True) -> RunResult:
    device.load_input(0, pixels.tobytes(), by_uart)
    device.load_input(1, bytes([BIAS]), by_uart)
    return device.run(crcs)


def check_values(pixels: np.ndarray) -> list[int]:
    """As docs/telemetry.md defines them, for the pieces that mirror.c says it computes."""
    turned = pixels[::-1]
    pieces = [(y, begin, end) for y in range(H) for begin, end in ((90, W), (0, 110))]
    values = [zlib.crc32(turned[y, b:e].tobytes(), zlib.crc32(struct.pack("<iii", y, b, e))) for y, b, e in pieces]
    return [sum(values) % 2**32, zlib.crc32((turned + np.uint8(BIAS)).tobytes())]


@pytest.mark.parametrize("by_uart", [False, True], ids=["file", "uart"])
def test_rows_arrive_and_pieces_are_checked(device: Device, by_uart: bool) -> None:
    assert device.boot.modes == (2, 0)
    pixels = image(1)
    result = run(device, pixels, by_uart)
    assert device.outputs() == ((pixels[::-1] + np.uint8(BIAS)).tobytes(),)
    assert [step.crc for step in result.steps] == check_values(pixels)


def test_counts_are_the_same_with_checks_and_without_by_file_and_by_uart(device: Device) -> None:
    ways = [(False, True), (True, True), (False, False), (True, False), (False, True)]
    results = [run(device, image(n), by_uart, crcs) for n, (by_uart, crcs) in enumerate(ways)]
    assert len({tuple(step.count for step in r.steps) for r in results}) == 1
    assert all(r.count == sum(step.count for step in r.steps) for r in results)
    turned, added = (step.count for step in results[0].steps)
    # 16 pieces of 330 bytes copied word by word; 700 turns over 4,800 bytes of some eight instructions
    assert 16 * 330 / 4 < turned < 16 * 330 * 2
    assert 700 * 4800 * 4 < added < 700 * 4800 * 16


def test_a_pulled_input_survives_its_runs(device: Device) -> None:
    for by_uart in (False, True):
        pixels = image(7)
        run(device, pixels, by_uart)
        device.load_input(1, bytes([BIAS + 1]))
        device.run()
        assert device.outputs() == ((pixels[::-1] + np.uint8(BIAS + 1)).tobytes(),)


@pytest.mark.parametrize("board", ["f4", "f7", "h7"])
def test_it_links_for_chips(board: str) -> None:
    chip, twin = (build_firmware(board, MODEL, simulated=simulated).sizes for simulated in (False, True))
    assert chip.arena_bytes == twin.arena_bytes == 16384
    assert chip.static_ram_bytes <= twin.static_ram_bytes + 8


def test_no_word_about_a_pulled_input_is_an_error_at_once(qemu_m4: Device) -> None:
    with pytest.raises(BoardError, match=r"did not run mirror: rows of an input .* did not come \(-3\)"):
        qemu_m4.run()


def test_an_absent_or_short_file_is_refused_and_not_read(qemu_m4: Device) -> None:
    run(qemu_m4, image(2), by_uart=False)
    for name, content in (("short", bytes(H * W * C - 1)), ("long", bytes(H * W * C + 1)), ("absent", None)):
        if content is not None:
            qemu_m4.link.put_file(name, content)
        assert [type(m) for m in raw(qemu_m4, 500, "file", index=0, name=name)] == [Error]
        with pytest.raises(BoardError, match="-3"):
            qemu_m4.run()


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("input", {"index": 0, "offset": 0, "data": b"1"}, "pulls this input: feed it"),
        ("feed", {"index": 1}, "does not pull this input: send it"),
        ("feed", {"index": 2}, "outside"),
    ],
)
def test_the_wrong_way_to_give_an_input_is_refused(
    qemu_m4: Device, kind: str, fields: dict[str, int | bytes], words: str
) -> None:
    (answer,) = raw(qemu_m4, 600, kind, None, **fields)
    assert isinstance(answer, Error)
    assert words in answer.text


def raw(
    device: Device, number: int, kind: str, answer: Callable[[Want], bytes] | None = None, **fields: int | str | bytes
) -> list[Message]:
    """Everything that answers a request, up to its end; `answer` gives what is sent for each `want`."""
    device.link.write(encode_request(kind, number, **fields))
    messages: list[Message] = []
    while not messages or (kind == "run" and not isinstance(messages[-1], Result)):
        received = device._receive(20, "test")
        assert received is not None
        assert received[0] == number
        messages.append(received[1])
        if isinstance(received[1], Want):
            assert answer is not None
            device.link.write(answer(received[1]))
    return messages


class Rows:
    """A host that answers as `trouble` says at first, then well."""

    def __init__(self, pixels: np.ndarray, number: int, trouble: Callable[[bytes, Want], bytes], times: int) -> None:
        self.data, self.number, self.trouble, self.times = pixels.tobytes(), number, trouble, times
        self.wants: list[Want] = []

    def __call__(self, want: Want) -> bytes:
        self.wants.append(want)
        good = self.row(want.offset, want.bytes, want.index)
        return self.trouble(good, want) if len(self.wants) <= self.times else good

    def row(self, offset: int, size: int, index: int = 0) -> bytes:
        return encode_request("row", self.number, index=index, offset=offset, data=self.data[offset : offset + size])


def damaged(good: bytes, _: Want) -> bytes:
    return good[:30] + bytes([good[30] ^ 0x40 or 1]) + good[31:]


def silent(_good: bytes, _want: Want) -> bytes:
    return b""


def wrong(_good: bytes, want: Want) -> bytes:
    """Rows of other places, sizes, inputs and runs, and a request that is none of a run's."""
    data = bytes(want.bytes)
    others: list[dict[str, int | bytes]] = [
        {"index": want.index + 1, "offset": want.offset, "data": data},
        {"index": want.index, "offset": want.offset + 1, "data": data},
        {"index": want.index, "offset": want.offset, "data": data[1:]},
        {"index": want.index, "offset": want.offset, "data": data + b"1"},
        {"index": want.index, "offset": want.offset},
        {"offset": want.offset, "data": data},
    ]
    frames = [encode_request("row", 900, **fields) for fields in others]
    frames.append(encode_request("row", 899, index=want.index, offset=want.offset, data=data))
    return b"".join([*frames, encode_request("hello", 900), encode_request("exit", 900)])


def fed(device: Device, rows: Rows) -> list[Message]:
    device.load_input(1, bytes([BIAS]))
    assert raw(device, 800, "feed", index=0) == [Ack()]
    return raw(device, rows.number, "run", rows, crcs=True)


@pytest.mark.parametrize(("trouble", "times"), [(damaged, 3), (wrong, 1), (silent, 1)])
def test_what_does_not_arrive_is_asked_for_again(
    qemu_m4: Device, trouble: Callable[[bytes, Want], bytes], times: int
) -> None:
    pixels = image(3)
    rows = Rows(pixels, 900, trouble, times)
    messages = fed(qemu_m4, rows)
    assert isinstance(messages[-1], Result)
    assert messages[-1].status == 0
    assert rows.wants[: times + 1] == [rows.wants[0]] * (times + 1)
    assert qemu_m4.outputs() == ((pixels[::-1] + np.uint8(BIAS)).tobytes(),)
    steps = next(m for m in messages if isinstance(m, Steps))
    assert list(steps.crcs) == check_values(pixels)


@pytest.mark.parametrize("trouble", [silent, damaged, wrong])
def test_after_four_tries_the_run_ends_and_the_device_goes_on(
    qemu_m4: Device, trouble: Callable[[bytes, Want], bytes]
) -> None:
    rows = Rows(image(4), 900, trouble, 4)
    messages = fed(qemu_m4, rows)
    assert len(rows.wants) == 4
    assert [type(m) for m in messages] == [Ack, Want, Want, Want, Want, Result]
    assert isinstance(messages[-1], Result)
    assert messages[-1].status == -3
    qemu_m4.link.write(rows.row(0, 10))  # late, to nobody
    pixels = image(5)
    run(qemu_m4, pixels, by_uart=True)
    assert qemu_m4.outputs() == ((pixels[::-1] + np.uint8(BIAS)).tobytes(),)


def test_parts_of_rows_are_asked_for_in_the_models_order_and_fit_a_frame(qemu_m4: Device) -> None:
    rows = Rows(image(6), 900, silent, 0)
    messages = fed(qemu_m4, rows)
    spans = [(y, begin, end) for y in reversed(range(H)) for begin, end in ((90, W), (0, 110))]
    assert [(w.offset, w.bytes) for w in rows.wants] == [((y * W + b) * C, (e - b) * C) for y, b, e in spans]
    # the second step is one piece of more than 2^24 counts
    (progress,) = (m for m in messages if isinstance(m, Progress))
    assert progress.pieces == 17
    assert isinstance(messages[-1], Result)
    assert 2**24 < progress.count <= messages[-1].count


class Splicing:
    """A line that repeats every row, late: the second copy arrives with the answer to the next `want`."""

    def __init__(self, inner: Link) -> None:
        self.inner, self.name = inner, inner.name
        self._last = b""

    def write(self, data: bytes) -> None:
        self.inner.write(self._last + data)
        self._last = data

    def read(self, timeout_s: float) -> bytes:
        return self.inner.read(timeout_s)

    def put_file(self, name: str, data: bytes) -> bool:
        return self.inner.put_file(name, data)

    def close(self) -> None:
        self.inner.close()


def test_an_answer_that_comes_twice_does_no_harm(qemu_m4: Device) -> None:
    pixels = image(8)
    qemu_m4.load_input(0, pixels.tobytes(), by_uart=True)
    qemu_m4.load_input(1, bytes([BIAS]))
    quiet = qemu_m4.link
    qemu_m4.link = Splicing(quiet)
    qemu_m4.run()
    qemu_m4.link = quiet
    assert qemu_m4.outputs() == ((pixels[::-1] + np.uint8(BIAS)).tobytes(),)


def test_the_host_gives_only_what_it_has(qemu_m4: Device) -> None:
    """A `want` outside the input, or of another input, goes unanswered."""

    class Recorder:
        name = "recorder"

        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def write(self, data: bytes) -> None:
            self.sent.append(data)

        def read(self, timeout_s: float) -> bytes:  # noqa: ARG002
            return b""

        def put_file(self, name: str, data: bytes) -> bool:  # noqa: ARG002
            return False

        def close(self) -> None: ...

    qemu_m4.load_input(0, image(9).tobytes(), by_uart=True)
    quiet, recorder = qemu_m4.link, Recorder()
    qemu_m4.link = recorder
    for want in (Want(1, 0, 10), Want(0, H * W * C - 9, 10), Want(0, 0, 449), Want(0, -5, 3)):
        qemu_m4._give(want)
    assert recorder.sent == []
    qemu_m4._give(Want(0, H * W * C - 9, 9))
    assert len(recorder.sent) == 1
    qemu_m4.link = quiet
    assert list(MessageDecoder().feed(recorder.sent[0])) == []  # a request, no message of the device
