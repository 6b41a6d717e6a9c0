"""A device that runs the app `infer`, driven over telemetry."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tessera.board import Board, load_board
from tessera.detect.decode import Detection
from tessera.device.link import Link, SerialLink, SimulatorLink
from tessera.errors import BadInput, BoardError
from tessera.firmware.elf import function_at
from tessera.telemetry.codec import Field, MessageDecoder, encode_request
from tessera.telemetry.message import Ack, Boot, Boxes, Error, Fault, Found, Message, Output, Result, Steps, Want

SILENCE_S = 30.0
"""No telemetry for so long is a hang: over 10^10 instructions of a simulator; a run tells its progress more often."""
HELLO_S = 0.5
RETRY_S = 1.0
"""After a damaged frame, the wait for the reply that it may have been."""
RETRIES = 3
CHUNK_BYTES = 448
BOX_FIELDS = 6
PROTOCOL = 2
RESIDENT = 0
STATUS = {
    -1: "the model was generated for another runtime (ABI)",
    -2: "a memory is missing, too small or misaligned",
    -3: "rows of an input that it pulls did not come",
}


class FirmwareFault(BoardError):
    """The firmware reported a fault; `fault` is its record."""

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True)
class StepResult:
    count: int
    crc: int | None
    """Check value of what the step computed (docs/telemetry.md); None if the run was without."""


@dataclass(frozen=True)
class RunResult:
    count: int
    """Of the whole run: the steps' sum."""
    unit: str
    """`instructions` or `cycles`."""
    steps: tuple[StepResult, ...]
    stack_bytes: int
    """High-water mark of the stack during the run."""


@dataclass(frozen=True)
class DetectResult:
    """What the decoder on the device found, and what it took."""

    count: int
    boxes: tuple[Detection, ...]


class Device:
    """Use `open_device`. Every method raises BoardError if the device faults, falls silent or refuses."""

    def __init__(self, link: Link, elf: Path | None = None, silence_s: float = SILENCE_S) -> None:
        self.link = link
        self.earlier_fault: Fault | None = None
        """Of a chip before its last reset."""
        self._elf = elf
        self._silence_s = silence_s
        self._decoder = MessageDecoder()
        self._waiting: list[tuple[int, Message]] = []
        self._number = 0
        self._pulled: dict[int, bytes] = {}
        """The inputs that the device asks us for while it runs."""
        self.boot = self._hello()
        if self.boot.version != PROTOCOL:
            raise BoardError(
                f"{self.link.name} speaks telemetry {self.boot.version}, we speak {PROTOCOL}: flash it with firmware "
                f"of this version."
            )

    @property
    def damaged(self) -> int:
        """Damaged frames received so far."""
        return self._decoder.damaged

    def load_input(self, index: int, data: bytes, by_uart: bool = False) -> None:
        """Sets input `index`; one that the model pulls is kept for the runs to come.

        A simulator reads a file instead of its slow UART, unless `by_uart`.
        """
        if not 0 <= index < len(self.boot.inputs):
            raise BadInput(
                f"The model {self.boot.model} has {len(self.boot.inputs)} inputs; there is no input {index}."
            )
        if len(data) != self.boot.inputs[index]:
            wanted = self.boot.inputs[index]
            raise BadInput(f"Input {index} of {self.boot.model} takes {wanted} bytes; {len(data)} were given.")
        name = f"input{index}"
        if not by_uart and self.boot.simulated and self.link.put_file(name, data):
            self._simple("file", index=index, name=name)
        elif self.boot.modes[index] != RESIDENT:
            self._simple("feed", index=index)
            self._pulled[index] = data
        else:
            for offset in range(0, len(data), CHUNK_BYTES):
                self._simple("input", index=index, offset=offset, data=data[offset : offset + CHUNK_BYTES])

    def run(self, crcs: bool = True) -> RunResult:
        """One inference over the inputs as loaded; those that are not pulled do not survive it."""
        steps: dict[int, StepResult] = {}
        for message in self._replies("run", repeat=False, crcs=crcs):
            if isinstance(message, Want):
                self._give(message)
            elif isinstance(message, Steps):
                step_crcs = message.crcs if crcs else (None,) * len(message.counts)
                for i, (count, crc) in enumerate(zip(message.counts, step_crcs, strict=True)):
                    steps[message.first + i] = StepResult(count, crc)
            elif isinstance(message, Result):
                break
        assert isinstance(message, Result)
        self._check_status(message)
        if sorted(steps) != list(range(self.boot.steps)):
            got = f"{len(steps)} of {self.boot.steps} step reports arrived ({self.damaged} damaged frames)"
            raise BoardError(f"{self.link.name} ran {self.boot.model} but only {got}; run again.")
        in_order = tuple(steps[i] for i in range(self.boot.steps))
        return RunResult(message.count, self.boot.unit, in_order, message.stack_bytes)

    def run_marked(self, pieces: bool) -> int:
        """One inference for a plugin of the simulator that sees marks (tessera.profile): the stack's high-water mark.

        `pieces`: with a mark before and after each; else the run is as an application has it.
        """
        for message in self._replies("mark", repeat=False, pieces=pieces):
            if isinstance(message, Result):
                break
        assert isinstance(message, Result)
        self._check_status(message)
        return message.stack_bytes

    def outputs(self) -> tuple[bytes, ...]:
        """Every output of the last run."""
        return tuple(self._output(index, size) for index, size in enumerate(self.boot.outputs))

    def detect(self) -> DetectResult:
        """The boxes in the outputs of the last run, best first; of the application `detect`."""
        for _ in range(RETRIES):
            boxes: dict[int, tuple[int, ...]] = {}
            for message in self._replies("detect", repeat=True):
                if isinstance(message, Boxes):
                    for i in range(len(message.boxes) // BOX_FIELDS):
                        boxes[message.first + i] = message.boxes[i * BOX_FIELDS : (i + 1) * BOX_FIELDS]
                elif isinstance(message, Found):
                    if sorted(boxes) == list(range(message.total)):
                        return DetectResult(message.count, tuple(Detection(*boxes[i]) for i in sorted(boxes)))
                    break
        raise BoardError(f"{self.link.name} did not deliver its boxes whole: {self.damaged} frames were damaged.")

    def exit(self) -> int:
        """Ends a simulator: its exit code. A chip sleeps until reset: 0."""
        self._simple("exit")
        return self.link.wait() if isinstance(self.link, SimulatorLink) else 0

    def _output(self, index: int, size: int) -> bytes:
        for _ in range(RETRIES):
            data = bytearray(size)
            got = 0
            for message in self._replies("output", repeat=True, index=index):
                if isinstance(message, Output) and message.offset + len(message.data) <= size:
                    data[message.offset : message.offset + len(message.data)] = message.data
                    got += len(message.data)
                elif isinstance(message, Ack):
                    break
            if got == size:
                return bytes(data)
        raise BoardError(f"{self.link.name} did not deliver output {index} whole: {self.damaged} frames were damaged.")

    def _give(self, want: Want) -> None:
        """Part of an input that the model pulls. What we do not have is not answered: the device gives up by itself."""
        data = self._pulled.get(want.index, b"")[want.offset : want.offset + want.bytes]
        if want.offset >= 0 and len(data) == want.bytes <= CHUNK_BYTES:
            row = encode_request("row", self._number, index=want.index, offset=want.offset, data=data)
            self.link.write(row)

    def _check_status(self, result: Result) -> None:
        if result.status != 0:
            why = STATUS.get(result.status, "unknown status")
            raise BoardError(f"{self.link.name} did not run {self.boot.model}: {why} ({result.status}).")

    def _simple(self, kind: str, **fields: Field) -> None:
        """A request that is answered by one acknowledgement."""
        for message in self._replies(kind, repeat=True, **fields):
            if isinstance(message, Ack):
                return

    def _hello(self) -> Boot:
        """The device once it answers. What is sent before its UART is enabled it may not see, so we ask again."""
        deadline = time.monotonic() + self._silence_s
        while time.monotonic() < deadline:
            message = self._receive(HELLO_S, "start")
            while message is not None:
                if isinstance(message[1], Boot):
                    return message[1]
                message = self._receive(HELLO_S, "start")
            self._number += 1
            self.link.write(b"\0" + encode_request("hello", self._number))
        raise BoardError(f"{self.link.name} does not answer: no telemetry for {self._silence_s:g} s after the start.")

    def _replies(self, kind: str, repeat: bool, **fields: Field) -> Iterator[Message]:
        """What the device answers to one request.

        `repeat`: doing it twice is harmless, so a reply that may have been damaged is asked for again.
        """
        for attempt in range(RETRIES + 1):
            self._number += 1
            self.link.write(encode_request(kind, self._number, **fields))
            damaged, deadline = self.damaged, time.monotonic() + self._silence_s
            while True:
                hurt = repeat and attempt < RETRIES and self.damaged > damaged
                if hurt:
                    deadline = min(deadline, time.monotonic() + RETRY_S)
                received = self._receive(deadline - time.monotonic(), kind)
                if received is None and time.monotonic() < deadline:
                    continue
                if received is None and hurt:
                    break
                if received is None:
                    raise BoardError(self._silence(kind))
                deadline = time.monotonic() + self._silence_s
                number, message = received
                if isinstance(message, Error) and message.code == Error.DAMAGED and number == 0:
                    break
                if number != self._number:
                    continue
                if isinstance(message, Error):
                    raise BoardError(f"{self.link.name} refused the request {kind}: {message.text} ({message.code}).")
                yield message
        raise BoardError(f"{self.link.name} received the request {kind} damaged {RETRIES + 1} times; is the line good?")

    def _receive(self, timeout_s: float, doing: str) -> tuple[int, Message] | None:
        """The next message, or None after `timeout_s` without one or when a damaged frame came instead.

        A fault that is reported now is raised.
        """
        deadline, damaged = time.monotonic() + timeout_s, self.damaged
        while not self._waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._waiting += self._decoder.feed(self.link.read(left))
            if self.damaged > damaged and not self._waiting:
                return None
        number, message = self._waiting.pop(0)
        if isinstance(message, Fault):
            if not message.earlier:
                raise FirmwareFault(self._describe(message, doing), message)
            self.earlier_fault = message
            return self._receive(timeout_s, doing)
        return number, message

    def _silence(self, kind: str) -> str:
        hurt = f" ({self.damaged} frames were damaged)" if self.damaged else ""
        return f"{self.link.name} hangs: no telemetry for {self._silence_s:g} s after the request {kind}{hurt}."

    def _describe(self, fault: Fault, doing: str) -> str:
        where = f" in step {fault.step}" if fault.step >= 0 else f" during {doing}"
        function = function_at(self._elf, fault.pc) if self._elf and fault.pc else None
        place = f" in {function}" if function else ""
        details = [f"PC 0x{fault.pc:08x}{place}"] if fault.pc else []
        if fault.file:
            details.append(f"{fault.file}:{fault.line}")
        if fault.address:
            details.append(f"address 0x{fault.address:08x}")
        if fault.cfsr:
            details.append(f"CFSR 0x{fault.cfsr:08x}")
        said = f" ({', '.join(details)})" if details else ""
        return f"{self.link.name} stopped with {_article(fault.kind)} {fault.kind}{where}{said}."


def _article(noun: str) -> str:
    return "an" if noun[:1] in "aeiou" and not noun.startswith("us") else "a"


@contextmanager
def open_device(
    board: Board | str, elf: Path | None = None, port: str | None = None, silence_s: float = SILENCE_S
) -> Iterator[Device]:
    """A device that has booted: the board on `port`, or without one its simulator running `elf`."""
    described = load_board(board) if isinstance(board, str) else board
    link: Link
    if port is not None:
        link = SerialLink(described, port)
    elif elf is not None:
        link = SimulatorLink(described, elf)
    else:
        raise BadInput("A simulator needs a firmware (elf), a real board its port.")
    try:
        yield Device(link, elf, silence_s)
    finally:
        link.close()
