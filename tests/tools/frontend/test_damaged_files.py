"""A damaged file gives one sentence, never another exception, never a hang."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from single_op import draw_case
from tessera.errors import CorruptModel, UnsupportedModel
from tessera.frontend.tflite import load_tflite
from tessera.ir.graph import Graph

SMALL = [draw_case(name, 3)[0] for name in ("CONV_2D", "FULLY_CONNECTED", "SPLIT", "STRIDED_SLICE", "PAD", "SOFTMAX")]


def load_or_refuse(content: bytes) -> Graph | None:
    start, graph, sentence = time.monotonic(), None, ""
    try:
        graph = load_tflite(content, name="damaged")
    except (CorruptModel, UnsupportedModel) as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert time.monotonic() - start < 10
    return graph


def assert_refused_or_whole(prefix: bytes, whole: Graph) -> None:
    """A prefix may only be accepted where it lacks nothing but the padding behind the last buffer."""
    graph = load_or_refuse(prefix)
    if graph is not None:
        assert len(graph.ops) == len(whole.ops)
        for a, b in zip(graph.tensors, whole.tensors, strict=True):
            assert (a.data is None) == (b.data is None)
            assert a.data is None or np.array_equal(a.data, b.data)


@pytest.mark.parametrize("content", SMALL, ids=range(len(SMALL)))
def test_every_prefix_of_small_files(content: bytes) -> None:
    whole = load_tflite(content)
    for n in range(len(content)):
        assert_refused_or_whole(content[:n], whole)


def test_prefixes_of_a_real_model(shared_models: Path) -> None:
    content = (shared_models / "persondet_mcunetv2_128x160_tinyengine.tflite").read_bytes()
    whole = load_tflite(content)
    rng = np.random.default_rng(0)
    for n in {*range(40), *rng.integers(0, len(content), 150).tolist(), *range(len(content) - 40, len(content))}:
        assert_refused_or_whole(content[:n], whole)


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, len(SMALL) - 1),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_random_corruption(n: int, changes: list[tuple[int, int]]) -> None:
    content = bytearray(SMALL[n])
    for position, value in changes:
        content[position % len(content)] = value
    load_or_refuse(bytes(content))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.integers(0, 10**6), st.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 30]))
def test_absurd_lengths_and_offsets(n: int, position: int, value: int) -> None:
    content = bytearray(SMALL[n])
    position = position % (len(content) // 4) * 4
    content[position : position + 4] = value.to_bytes(4, "little")
    load_or_refuse(bytes(content))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_noise(tail: bytes) -> None:
    assert load_or_refuse(tail) is None
    load_or_refuse(b"\x14\0\0\0TFL3" + tail)
