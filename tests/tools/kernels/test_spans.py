"""Every operator that streams has a span kernel, declared in spans.h, with the sources that the engine expects."""

from __future__ import annotations

import re

import pytest

from single_op import GENERATORS, draw_case
from tessera.codegen.runner import LIBRARY
from tessera.frontend.tflite import load_tflite
from tessera.kernels.call import Array, SpanKernel
from tessera.kernels.select import bind
from tessera.kernels.spans import REDUCTIONS, SYMBOLS, bind_span
from tessera.passes import EDGES_FLOAT_PASSES, run_passes
from tessera.schedule.streamable import Window, streamable

DECLARED = set(re.findall(r"^void (tess_\w+)\(", (LIBRARY / "include" / "tessera" / "spans.h").read_text(), re.M))


def test_every_kernel_is_declared_and_bound() -> None:
    assert {*SYMBOLS.values(), *REDUCTIONS.values()} == DECLARED


def kernels(kind: str, count: int = 40) -> list[SpanKernel]:
    """Of the random models of an operator, those parts that stream."""
    bound = []
    for seed in range(count):
        graph = run_passes(load_tflite(draw_case(kind, seed)[0]), EDGES_FLOAT_PASSES)
        for op in graph.ops:
            described = streamable(graph, op)
            if described is None:
                continue
            kernel = bind_span(graph, op, *bind(graph, op))
            assert kernel.symbol in DECLARED
            assert kernel.reduces == described.reduces
            assert len(kernel.sources) == len(described.sources)
            for ours, theirs in zip(kernel.sources, described.sources, strict=True):
                assert isinstance(ours.operand, Array) or ours.operand == theirs.tensor
                assert isinstance(ours.operand, Array) == graph.tensor(theirs.tensor).is_constant
                if isinstance(theirs.rows, Window):
                    assert (ours.count, ours.stride, ours.pad) == (
                        theirs.rows.kernel,
                        theirs.rows.stride,
                        theirs.rows.pad,
                    )
                elif theirs.rows is not None:
                    assert ours.first is not None
                    assert ours.first.data.size == graph.tensor(op.outputs[0]).shape[1]
            bound.append(kernel)
    return bound


STREAMING = [
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "MAX_POOL_2D",
    "MEAN",
    "MUL",
    "PAD",
    "PRELU",
    "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
    "SOFTMAX",
    "SUB",
]


@pytest.mark.parametrize("kind", [k for k in GENERATORS if k in STREAMING])
def test_operators_that_stream_bind(kind: str) -> None:
    assert kernels(kind)


def test_all_of_them_are_tried() -> None:
    assert set(STREAMING) <= set(GENERATORS)
