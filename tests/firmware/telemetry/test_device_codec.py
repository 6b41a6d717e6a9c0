"""The device's framing and CBOR, compiled for the host with sanitizers, against the Python packages."""

import shutil
import subprocess
from pathlib import Path

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.telemetry.frame import MAX_PAYLOAD_BYTES, FrameDecoder, encode_frame

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / "firmware" / "lib" / "telemetry"
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no host compiler")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("telemetry") / "codec"
    flags = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Werror"]
    flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{LIBRARY / 'include'}"]
    sources = [str(Path(__file__).parent / "codec_test.c"), *map(str, sorted((LIBRARY / "src").glob("*.c")))]
    subprocess.run(["gcc", *flags, *sources, "-o", str(out)], check=True)
    return out


def decode(program: Path, data: bytes) -> tuple[list[str], bytes]:
    done = subprocess.run([program], input=data, capture_output=True, check=True)
    return done.stderr.decode(errors="replace").splitlines(), done.stdout


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=MAX_PAYLOAD_BYTES), max_size=8))
def test_frames_go_both_ways(program: Path, payloads: list[bytes]) -> None:
    stream = b"".join(encode_frame(payload) for payload in payloads)
    lines, echoed = decode(program, stream)
    assert len(lines) == len(payloads)
    assert echoed == stream  # the same encoding, byte for byte


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=600), st.binary(max_size=300).map(encode_frame)), max_size=8))
def test_both_decoders_agree_on_anything(program: Path, parts: list[bytes]) -> None:
    stream = b"\0".join(parts) + b"\0"
    lines, echoed = decode(program, stream)
    decoder = FrameDecoder()
    payloads = list(decoder.feed(stream))
    assert lines.count("damaged") == decoder.damaged
    assert list(FrameDecoder().feed(echoed)) == payloads


scalar = st.one_of(st.integers(0, 2**64 - 1), st.integers(-(2**63), -1), st.binary(max_size=40), st.booleans())
value = st.one_of(scalar, st.text(st.characters(codec="ascii", exclude_characters="\n\r\0"), max_size=30))
value = st.one_of(value, st.lists(st.integers(0, 2**32 - 1), max_size=20))
keys = st.text("abcdnt", min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(keys, value, max_size=8), st.integers(0, 2**32 - 1))
def test_a_key_is_found_among_others(program: Path, fields: dict[str, object], number: int) -> None:
    payload = cbor2.dumps({**fields, "n": number, "t": "hello"})
    if len(payload) > MAX_PAYLOAD_BYTES:
        return
    assert decode(program, encode_frame(payload))[0] == [f"ready {len(payload)} 1 {number} hello"]


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.binary(max_size=60).map(lambda tail: b"\xa3\x61n" + tail)))
def test_any_bytes_may_be_searched(program: Path, payload: bytes) -> None:
    decode(program, encode_frame(payload))  # the sanitizers are the check
