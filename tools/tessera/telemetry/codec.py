"""Messages to and from the CBOR inside a frame."""

import dataclasses
import io
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import cbor2

from tessera.telemetry.frame import FrameDecoder, encode_frame
from tessera.telemetry.message import MESSAGES, Message

Field = int | str | bytes | bool


def encode_request(kind: str, number: int, **fields: Field) -> bytes:
    """A framed request of the host."""
    return encode_frame(cbor2.dumps({"t": kind, "n": number, **fields}))


class MessageDecoder:
    """Turns received bytes into (request number, message). What is no message of ours is counted in `damaged`."""

    def __init__(self) -> None:
        self._frames = FrameDecoder()
        self._unknown = 0

    @property
    def damaged(self) -> int:
        return self._frames.damaged + self._unknown

    def feed(self, data: bytes) -> Iterator[tuple[int, Message]]:
        messages = []
        for payload in self._frames.feed(data):
            message = decode_message(payload)
            if message is None:
                self._unknown += 1
            else:
                messages.append(message)
        return iter(messages)


def decode_message(payload: bytes) -> tuple[int, Message] | None:
    """The message in a payload, with the number of the request that it answers; None if it is not one."""
    stream = io.BytesIO(payload)
    try:
        fields = cbor2.load(stream)
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        return None
    if stream.tell() != len(payload) or not isinstance(fields, dict):
        return None
    kind, number = fields.pop("t", None), fields.pop("n", None)
    message = MESSAGES.get(kind) if isinstance(kind, str) else None
    if message is None or type(number) is not int:
        return None
    values = _checked(message, fields)
    return None if values is None else (number, message(**values))


def _checked(message: type[Message], fields: dict[Any, Any]) -> dict[str, Any] | None:
    """The values of a message's fields if all are there with the right types; what is not ours is left out."""
    hints = get_type_hints(message)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(message):
        if field.name not in fields:
            if field.default is dataclasses.MISSING:
                return None
            continue
        value, hint = fields[field.name], hints[field.name]
        if get_origin(hint) is tuple:
            item = get_args(hint)[0]
            if not isinstance(value, (list, tuple)) or any(type(element) is not item for element in value):
                return None
            value = tuple(value)
        elif type(value) is not hint:
            return None
        values[field.name] = value
    return values
