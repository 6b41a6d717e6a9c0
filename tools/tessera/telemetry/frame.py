"""Frames on a byte stream: COBS(payload, CRC-32 of the payload) and a zero byte."""

import zlib
from collections.abc import Iterator

from cobs import cobs  # type: ignore[import-untyped]

MAX_PAYLOAD_BYTES = 512
MAX_CODED_BYTES = MAX_PAYLOAD_BYTES + 4 + (MAX_PAYLOAD_BYTES + 4) // 254 + 1


def encode_frame(payload: bytes) -> bytes:
    assert len(payload) <= MAX_PAYLOAD_BYTES
    return bytes(cobs.encode(payload + zlib.crc32(payload).to_bytes(4, "little"))) + b"\0"


class FrameDecoder:
    """Turns bytes, however they are cut, into payloads. A damaged frame is counted in `damaged` and skipped."""

    def __init__(self) -> None:
        self.damaged = 0
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that `data` completes, in order. Nothing of `data` is lost if the iterator is not used up."""
        self._pending += data
        frames = self._pending.split(b"\0")
        self._pending = frames.pop()
        if len(self._pending) > MAX_CODED_BYTES:
            del self._pending[MAX_CODED_BYTES + 1 :]  # too long already: only that matters of it
        return iter([payload for frame in frames if frame for payload in self._decode(bytes(frame))])

    def _decode(self, frame: bytes) -> list[bytes]:
        if len(frame) <= MAX_CODED_BYTES:
            try:
                body = bytes(cobs.decode(frame))
            except cobs.DecodeError:
                body = b""
            if len(body) >= 4 and zlib.crc32(body[:-4]) == int.from_bytes(body[-4:], "little"):
                return [body[:-4]]
        self.damaged += 1
        return []
