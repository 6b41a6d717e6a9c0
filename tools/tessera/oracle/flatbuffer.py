"""Writing of .tflite files, for the oracle and for tests."""

from __future__ import annotations

from typing import Any

import flatbuffers  # type: ignore[import-untyped]


def pack(model: Any) -> bytes:
    """A schema ModelT as a file's content."""
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
