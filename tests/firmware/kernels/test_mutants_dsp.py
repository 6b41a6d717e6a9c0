"""Wrong variants of what picks and prepares Armv7E-M kernels: the comparison with the interpreter sees each of them.

A generator that takes a kernel one sum too far, rounds in the wrong form, pads with the wrong value or plans too little
memory makes code that compiles and is right for most inputs. These are the inputs that tell. Each case also runs as it
is, and is right.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_conv2d_dsp import Case
from test_preconditions_dsp import Quantization, Weighted, layer, window_attrs

from on_cross import FAST, LEAN, CrossCase, graph_case, run_cross_cases
from tessera.errors import TesseraError
from tessera.ir import attrs as ir
from tessera.ir.graph import Graph
from tessera.kernels.call import Struct
from tessera.kernels.dsp import conv2d, conv2d_channels, conv2d_fast, conv2d_window, depthwise
from tessera.kernels.isa import KernelSet
from tessera.memory import overlap, planner

pytestmark = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed")

LINEAR = Quantization(0, 0, (-128, 127))

Patch = Callable[[pytest.MonkeyPatch], None]
Make = Callable[[str], CrossCase]  # of the model's name


def conv2d_next_to_its_greatest_sum(name: str) -> CrossCase:
    """257 products of 127 * 255 and a bias give 2^23, one more than the kernel's 24 bits hold."""
    op = Weighted(np.full((2, 1, 1, 257), 127), window_attrs("pointwise"))
    bias = np.full(2, (1 << 23) - 257 * 127 * 255)
    return weighted_case(name, op, Quantization(-128, 0, (-128, 127)), np.full(2, 2.0**-17), bias)


def depthwise_next_to_its_greatest_sum(name: str) -> CrossCase:
    op = Weighted(np.full((2, 3, 3, 1), 127), window_attrs("depthwise"), depthwise=True)
    bias = np.full(2, (1 << 30) - 9 * 127 * 255)
    return weighted_case(name, op, Quantization(-128, 0, (-128, 127)), np.full(2, 99.5 / ((1 << 30) - 200_000)), bias)


def every_sum(name: str, kind: str, scales: Any, quantization: Quantization) -> CrossCase:
    """Of one weight of 1 and every byte."""
    k = {"depthwise": 3}.get(kind, 1)
    weights = np.zeros((len(scales), k, k, 1), np.int64)
    weights[:, k // 2, k // 2] = 1
    op = Weighted(weights, window_attrs(kind), depthwise=kind == "depthwise")
    columns = np.arange(-129, 129).clip(-128, 127) if k == 3 else np.arange(-128, 128)
    x = np.broadcast_to(columns[:, None], (1, k, len(columns), len(scales) if op.depthwise else 1)).astype(np.int8)
    return weighted_case(name, op, quantization, scales, np.zeros(len(scales), np.int64), x)


def weighted_case(
    name: str, op: Weighted, quantization: Quantization, scales: Any, bias: Any, x: Any = None
) -> CrossCase:
    x = op.extremes() if x is None else x
    graph = layer(name, op, x, quantization, np.asarray(scales, np.float32), np.asarray(bias))
    return graph_case(graph, [x], FAST, None, guarded=True)


def padded(name: str, kernels: KernelSet) -> CrossCase:
    graph = Case(4, 5, (4, 6), kernel=(3, 3), padding=(1, 1, 1, 1), zero_points=(90, 3), scale=2.0**-14).graph(name)
    return graph_case(graph, [noise(graph)], kernels, None, guarded=True)


def growing(name: str) -> CrossCase:
    """From 8 channels to 9, in the input's place from below; lean kernels read four pixels while they write them."""
    graph = Case(9, 8, (7, 5), scale=2.0**-12).graph(name)
    return graph_case(graph, [noise(graph)], LEAN, None, guarded=False)


def running_ahead(name: str) -> CrossCase:
    """Rows of the output are longer than those of the input: in its place they come to lie on what is still to be
    read."""
    rng = np.random.default_rng(0)
    op = Weighted(rng.integers(-127, 128, (8, 3, 3, 1)), window_attrs("depthwise"), depthwise=True)
    x = rng.integers(-128, 128, (1, 6, 6, 8)).astype(np.int8)
    graph = layer(name, op, x, LINEAR, np.full(8, 2.0**-9, np.float32), np.zeros(8, np.int64))
    (node,), out = graph.ops, graph.tensors[3]
    padded = replace(node, attrs=ir.DepthwiseConv2D((1, 1), (1, 1, 2, 2), (-128, 127), 1))
    tensors = (*graph.tensors[:3], replace(out, shape=(1, 6, 8, 8)))
    return graph_case(replace(graph, tensors=tensors, ops=(padded,)), [x], FAST, None, guarded=False)


def narrow(name: str) -> CrossCase:
    """In place; by rows the output is never ahead of what was read, by columns it would be."""
    op = Weighted(np.random.default_rng(0).integers(-127, 128, (4, 3, 3, 1)), window_attrs("depthwise"), depthwise=True)
    x = np.random.default_rng(1).integers(-128, 128, (1, 13, 5, 4)).astype(np.int8)
    graph = layer(name, op, x, LINEAR, np.full(4, 2.0**-9, np.float32), np.zeros(4, np.int64))
    return graph_case(graph, [x], FAST, None, guarded=False)


def noise(graph: Graph) -> Any:
    return np.random.default_rng(0).integers(-128, 128, graph.tensors[0].shape).astype(np.int8)


def one_sum_too_far(module: Any, name: str) -> Patch:
    real = getattr(module, name)
    return lambda patch: patch.setattr(module, name, lambda ends, *rest: real((ends[0], ends[1] - 1), *rest))


def one_more(module: Any, name: str) -> Patch:
    real = getattr(module, name)
    return lambda patch: patch.setattr(module, name, lambda *given: real(*given) + np.array([0, 1, 0]))


def zeros_for_padding(name: str) -> Patch:
    real = getattr(conv2d, name)

    def struct(*given: Any) -> Struct:
        made: Struct = real(*given)
        return replace(made, fields=tuple((k, 0 if k == "in_zero_point" else v) for k, v in made.fields))

    return lambda patch: patch.setattr(conv2d, name, struct)


def scratch_less_4(patch: pytest.MonkeyPatch) -> None:
    real = conv2d_window.Window.scratch_bytes.fget
    patch.setattr(conv2d_window.Window, "scratch_bytes", property(lambda window: real(window) - 4))


def along_columns_of_any_map(patch: pytest.MonkeyPatch) -> None:
    real = depthwise._Planes.goes_along_columns.fget
    turned = property(lambda planes: real(replace(planes, same_shape=True)))
    patch.setattr(depthwise._Planes, "goes_along_columns", turned)


def groups_of_one_pixel(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(overlap, "PIXELS", 1)
    patch.setattr(planner, "verify_plan", lambda *_: None)  # which sees it as well


def in_place_whatever_is_ahead(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(overlap, "_keeps_ahead", lambda *_: True)
    patch.setattr(planner, "verify_plan", lambda *_: None)


ODD = np.random.default_rng(0).uniform(0.1, 0.49, 40)
MUTANTS: dict[str, tuple[Make, Patch]] = {
    "conv2d, one sum too far": (
        conv2d_next_to_its_greatest_sum,
        one_sum_too_far(conv2d_channels, "fine_requantization"),
    ),
    "depthwise, one sum too far": (
        depthwise_next_to_its_greatest_sum,
        one_sum_too_far(depthwise, "packed_requantization"),
    ),
    "conv2d, ties below zero": (
        lambda name: every_sum(name, "pointwise", np.full(2, 0.25), LINEAR),
        lambda patch: patch.setattr(conv2d_fast, "rounding", lambda *_: "relu"),
    ),
    "depthwise, ties below zero": (
        lambda name: every_sum(name, "depthwise", np.full(4, 0.25), LINEAR),
        lambda patch: patch.setattr(depthwise, "_variant", lambda *_: "relu"),
    ),
    "conv2d, k": (
        lambda name: every_sum(name, "pointwise", ODD, LINEAR),
        one_more(conv2d_channels, "fine_requantization"),
    ),
    "depthwise, k": (
        lambda name: every_sum(name, "depthwise", ODD, LINEAR),
        one_more(depthwise, "packed_requantization"),
    ),
    "conv2d, padding": (lambda name: padded(name, FAST), zeros_for_padding("fast_struct")),
    "lean conv2d, padding": (lambda name: padded(name, LEAN), zeros_for_padding("lean_struct")),
    "scratch": (lambda name: padded(name, FAST), scratch_less_4),
    "groups of pixels": (growing, groups_of_one_pixel),
    "along columns": (narrow, along_columns_of_any_map),
    "in place": (running_ahead, in_place_whatever_is_ahead),
}


def test_the_cases_are_right(tmp_path: Path) -> None:
    made = [make(f"right_{i}") for i, (make, _) in enumerate(MUTANTS.values())]
    run_cross_cases(made, tmp_path)


@pytest.mark.parametrize(("make", "patch"), MUTANTS.values(), ids=MUTANTS)
def test_mutant(make: Make, patch: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = make("mutant")
    patch(monkeypatch)
    wrong = make("mutant")
    assert wrong.sources.files != right.sources.files, "the mutant lives nowhere"
    with pytest.raises((AssertionError, TesseraError), match=r"in stage|a guard byte changed"):
        run_cross_cases([wrong], tmp_path)
