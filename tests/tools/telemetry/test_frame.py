"""The frame decoder on good, cut and damaged streams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.telemetry.frame import MAX_PAYLOAD_BYTES, FrameDecoder, encode_frame

payloads = st.lists(st.binary(max_size=MAX_PAYLOAD_BYTES), max_size=6)


@given(payloads, st.lists(st.integers(0, 4000), max_size=20))
def test_cuts_do_not_matter(sent: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(encode_frame, sent))
    decoder, at = FrameDecoder(), 0
    received: list[bytes] = []
    for cut in [*sorted(cuts), len(stream)]:
        received += decoder.feed(stream[at:cut])
        at = max(at, cut)
    assert received == sent
    assert decoder.damaged == 0


@given(payloads, st.data())
def test_a_flipped_byte_costs_one_frame(sent: list[bytes], data: st.DataObject) -> None:
    frames = [encode_frame(payload) for payload in [*sent, b"victim"]]
    victim = frames.pop()
    index = data.draw(st.integers(0, len(victim) - 2))
    new = data.draw(st.integers(1, 255).filter(lambda byte: byte != victim[index]))
    where = data.draw(st.integers(0, len(frames)))
    frames.insert(where, victim[:index] + bytes([new]) + victim[index + 1 :])
    decoder = FrameDecoder()
    assert list(decoder.feed(b"".join(frames))) == sent
    assert decoder.damaged == 1


@given(payloads, st.integers(1, 11), payloads)
def test_a_truncated_frame_costs_itself(before: list[bytes], kept: int, after: list[bytes]) -> None:
    stream = b"".join(map(encode_frame, before)) + encode_frame(b"victim!!")[:kept] + b"\0"
    decoder = FrameDecoder()
    assert list(decoder.feed(stream + b"".join(map(encode_frame, after)))) == [*before, *after]
    assert decoder.damaged == 1


@given(st.binary(max_size=3000), payloads)
def test_after_noise_nothing_is_lost(noise: bytes, sent: list[bytes]) -> None:
    decoder = FrameDecoder()
    received = list(decoder.feed(noise + b"\0" + b"".join(map(encode_frame, sent))))
    assert received[len(received) - len(sent) :] == sent


def test_an_endless_frame_takes_no_memory() -> None:
    decoder = FrameDecoder()
    for _ in range(100):
        assert not list(decoder.feed(b"x" * 10000))
    assert len(decoder._pending) < 1000
    assert list(decoder.feed(b"\0" + encode_frame(b"next"))) == [b"next"]
    assert decoder.damaged == 1


def test_a_payload_that_is_too_long_is_our_bug() -> None:
    with pytest.raises(AssertionError):
        encode_frame(bytes(MAX_PAYLOAD_BYTES + 1))
