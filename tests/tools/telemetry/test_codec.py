"""Messages from CBOR, and what is none."""

import dataclasses

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.telemetry.codec import MessageDecoder, decode_message
from tessera.telemetry.frame import encode_frame
from tessera.telemetry.message import Ack, Boot, Error, Fault, Message, Output, Progress, Result, Steps, Want

EXAMPLES: list[tuple[str, Message]] = [
    ("ack", Ack()),
    ("boot", Boot(2, "h7", "vww", "0" * 16, 2, 4096, "cycles", "gcc", 3, (9, 4), (0, 2), (2,), False)),
    ("error", Error(2, "unknown request")),
    ("steps", Steps(3, (1, 2**40), (5, 6))),
    ("steps", Steps(3, (1,))),
    ("want", Want(0, 1344, 448)),
    ("progress", Progress(17, 2**33)),
    ("result", Result(-1, 2**40, 300)),
    ("output", Output(0, 448, b"\0\1")),
    ("fault", Fault("bus fault", 5, 1, 2, 3, 4, -1, "", 0, True)),
]


def fields_of(kind: str, message: Message) -> dict[str, object]:
    return {"t": kind, "n": 7, **dataclasses.asdict(message)}


@pytest.mark.parametrize(("kind", "message"), EXAMPLES)
def test_every_message_round_trips(kind: str, message: Message) -> None:
    assert decode_message(cbor2.dumps(fields_of(kind, message))) == (7, message)


@pytest.mark.parametrize(("kind", "message"), EXAMPLES)
def test_a_missing_or_wrong_field_makes_it_no_message(kind: str, message: Message) -> None:
    fields = fields_of(kind, message)
    for name in fields:
        if name == "crcs":
            continue
        assert decode_message(cbor2.dumps({k: v for k, v in fields.items() if k != name})) is None
        assert decode_message(cbor2.dumps({**fields, name: 1.5})) is None


def test_fields_of_later_versions_are_left_out() -> None:
    assert decode_message(cbor2.dumps({"t": "ack", "n": 1, "mood": "good"})) == (1, Ack())


@given(st.binary(max_size=200))
def test_any_payload_is_a_message_or_none(payload: bytes) -> None:
    decode_message(payload)


def test_what_is_no_message_is_counted() -> None:
    decoder = MessageDecoder()
    good = encode_frame(cbor2.dumps({"t": "ack", "n": 1}))
    stream = encode_frame(b"no cbor") + good + b"rubbish\0" + encode_frame(cbor2.dumps([1])) + good
    assert list(decoder.feed(stream)) == [(1, Ack()), (1, Ack())]
    assert decoder.damaged == 3
