"""The messages of telemetry v2, as docs/telemetry.md defines them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Boot:
    """What runs on the device. Sent at reset and for `hello`."""

    version: int
    board: str
    model: str
    hash: str
    abi: int
    arena_bytes: int
    unit: str
    """`instructions` (simulator) or `cycles` (chip)."""
    build: str
    steps: int
    inputs: tuple[int, ...]
    """Bytes of each input."""
    modes: tuple[int, ...]
    """How each input is taken: 0 before the run, 1 pulled row by row, 2 pulled in any order."""
    outputs: tuple[int, ...]
    simulated: bool


@dataclass(frozen=True)
class Ack:
    """The request was carried out (`run`: has begun)."""


@dataclass(frozen=True)
class Error:
    """The request was not carried out."""

    DAMAGED = 1

    code: int
    text: str


@dataclass(frozen=True)
class Want:
    """The run waits for these bytes of an input that it pulls; the answer is `row`."""

    index: int
    offset: int
    bytes: int


@dataclass(frozen=True)
class Progress:
    """The run goes on."""

    pieces: int
    count: int
    """Of the pieces that have ended."""


@dataclass(frozen=True)
class Steps:
    """Counts, and check values if asked for, of steps from `first` on."""

    first: int
    counts: tuple[int, ...]
    crcs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Result:
    """The run has ended."""

    status: int
    """Of tess_run: 0 or a negative tess_status_t."""
    count: int
    stack_bytes: int


@dataclass(frozen=True)
class Output:
    """Part of an output."""

    index: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Boxes:
    """Detections from `first` on: x1, y1, x2, y2 in 1/16 px, score in 1/256, class; six integers each."""

    first: int
    boxes: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """All boxes are out; `count` is what the decoder took."""

    total: int
    count: int


@dataclass(frozen=True)
class Fault:
    """The processor stopped in an exception or a failed assertion."""

    kind: str
    exception: int
    pc: int
    lr: int
    cfsr: int
    address: int
    step: int
    """Index of the step that ran, or -1."""
    file: str
    line: int
    earlier: bool
    """It happened before the last reset."""


Message = Boot | Ack | Error | Want | Progress | Steps | Result | Output | Boxes | Found | Fault

MESSAGES: dict[str, type[Message]] = {
    "boot": Boot,
    "ack": Ack,
    "error": Error,
    "want": Want,
    "progress": Progress,
    "steps": Steps,
    "result": Result,
    "output": Output,
    "boxes": Boxes,
    "found": Found,
    "fault": Fault,
}
