"""What docs/operators.md says about kernels for Armv7E-M, against what is picked for random operators."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from single_op import GENERATORS, draw_case
from tessera.frontend.supported import SUPPORTED
from tessera.frontend.tflite import load_tflite
from tessera.ir.attrs import Reshape
from tessera.kernels.dsp.lower import lower, lower_span
from tessera.kernels.dsp.served import SERVED, VIEWS, Served
from tessera.kernels.isa import Isa, KernelSet
from tessera.kernels.select import bind
from tessera.kernels.spans import bind_span
from tessera.models import ROOT
from tessera.passes import PASSES, run_passes
from tessera.schedule.streamable import streamable

HEADERS = ROOT / "firmware" / "lib" / "tessera" / "include" / "tessera"
CASES = 40


@pytest.mark.parametrize("served", SERVED, ids=lambda served: served.operators[0])
def test_only_kernels_that_the_page_names_are_picked(served: Served) -> None:
    layers, spans = set[str](), set[str]()
    for kind in served.operators:
        for seed in range(CASES):
            for layer, span in picked(kind, seed):
                layers |= layer
                spans |= span
    assert layers
    assert layers <= set(served.layer)
    assert spans <= set(served.stage)


@pytest.mark.parametrize("kind", sorted(SUPPORTED.keys() - {kind for served in SERVED for kind in served.operators}))
def test_other_operators_have_portable_kernels_or_none(kind: str) -> None:
    lookups = next(served for served in SERVED if "TANH" in served.operators)
    around = {*lookups.layer, *lookups.stage} if kind == "CONCATENATION" else set()  # uint8 operands of other scales
    for seed in range(5):
        assert all(layer | span <= around for layer, span in picked(kind, seed))


def test_kernels_are_declared() -> None:
    text = "".join(path.read_text() for path in HEADERS.glob("*_dsp.h"))
    declared = set(re.findall(r"void tess_(\w+)__dsp\(", text))
    named = {name for served in SERVED for name in (*served.layer, *served.stage)}
    assert named <= declared


def test_every_operator_of_the_page_is_supported() -> None:
    named = [kind for served in SERVED for kind in served.operators]
    assert len(named) == len(set(named))
    assert {*named, *VIEWS} <= SUPPORTED.keys()
    assert not {*named} & {*VIEWS}


def picked(kind: str, seed: int) -> Iterator[tuple[set[str], set[str]]]:
    """Armv7E-M kernels, fast and lean, of what passes left of a random operator: as a layer, in a stage."""
    if kind not in GENERATORS:
        return
    model, _ = draw_case(kind, seed)
    loaded = load_tflite(model, name=kind)
    graph, kinds = run_passes(loaded, PASSES), {type(op.attrs) for op in loaded.ops} - {Reshape}
    for op in (op for op in graph.ops if type(op.attrs) in kinds):  # not what passes made of it or put around it
        for fast in (True, False):
            kernels = KernelSet(Isa.ARMV7E_M, fast)
            calls = bind(graph, op)
            layer = {lower(graph, op, call, kernels).symbol for call in calls}
            span = set()
            if streamable(graph, op) is not None:
                span = {lower_span(graph, op, bind_span(graph, op, calls[0]), kernels, 8).symbol}
            yield short(layer), short(span)


def short(symbols: set[str]) -> set[str]:
    return {s.removeprefix("tess_").removesuffix("__dsp") for s in symbols if s.endswith("__dsp")}
