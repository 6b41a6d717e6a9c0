"""A test of the tests: each tempting wrong definition must be told from the right one by the random models."""

from typing import Any

import numpy as np
import pytest

from single_op import draw_case
from tessera.arith import fixed_point, multipliers, unary
from tessera.frontend.tflite import load_tflite
from tessera.interpreter import elementwise, linear, maps, run
from tessera.oracle.compare import differences, expected_tensors

F32, F64 = np.float32, np.float64
MOST_CASES = 2500


def rescale_once(x: Any, q: Any, shift: Any) -> Any:
    s = 31 - np.asarray(shift)
    return (np.asarray(x, np.int64) * q + (np.int64(1) << (s - 1))) >> s


def high_mul_half_away(a: Any, b: Any) -> Any:
    p = np.asarray(a, np.int64) * b
    return np.where(p >= 0, (p + (1 << 30)) >> 31, -((-p + (1 << 30)) >> 31))


def shift_half_up(x: Any, bits: Any) -> Any:
    bits = np.asarray(bits, np.int64)
    return (np.asarray(x, np.int64) + ((1 << bits) >> 1)) >> bits


def conv_float32(x: Any, w: Any, y: Any, channels: int, _: bool) -> Any:
    return multipliers.quantize_multipliers(np.broadcast_to((x.scale * w.scales / y.scale).astype(F64), channels))


def conv_double(x: Any, w: Any, y: Any, channels: int, _: bool) -> Any:
    return multipliers.quantize_multipliers(multipliers.fully_connected_reals(x, w, y, channels))


def fc_two_roundings(attrs: Any, ins: Any, outs: Any, v: Any) -> Any:
    weights = v[1].astype(np.int32) - ins[1].q.zero_point
    rows = v[0].astype(np.int32).reshape(-1, weights.shape[1]) - ins[0].q.zero_point
    acc = linear.matmul_exact(rows, weights.T) + linear._bias(v)
    values = fixed_point.rescale(acc, *conv_double(ins[0].q, ins[1].q, outs[0].q, len(weights), False))
    return linear.store(values, outs[0], attrs.clamp).reshape(outs[0].shape)


def mul_double(a: Any, b: Any, y: Any) -> Any:
    return fixed_point.quantize_multiplier(F64(a.scale) * F64(b.scale) / F64(y.scale))


def prelu_double(x: Any, alpha: Any, y: Any) -> Any:
    q = fixed_point.quantize_multiplier
    return q(F64(x.scale) / F64(y.scale)), q(F64(x.scale) * F64(alpha.scale) / F64(y.scale))


def requantize_float32(x: Any, y: Any) -> Any:
    return fixed_point.quantize_multiplier(x.scale / y.scale)


def mean_rounded(x: Any, y: Any, count: int) -> Any:
    return fixed_point.quantize_multiplier(F64(x.scale) / F64(y.scale) / count)


def pool_half_even(attrs: Any, _: Any, outs: Any, v: Any) -> Any:
    total = sum(maps._windows(attrs, v[0].astype(np.int64), outs[0], 0))
    count = sum(maps._windows(attrs, np.ones((1, *v[0].shape[1:3], 1), np.int64), outs[0], 0))
    return np.clip(np.rint(total / count), *attrs.clamp).astype(v[0].dtype)


def hard_swish_real(x: Any, y: Any) -> Any:
    real = F64(x.q.scale) * unary._centred(x)
    values = np.rint(real * np.clip(real + 3, 0, 6) / 6 / F64(y.q.scale)).astype(np.int64)
    return unary._store(values, y, unary.dtype_range(y.dtype))


def softmax_float(attrs: Any, ins: Any, outs: Any, v: Any) -> Any:
    x = v[0].astype(F64) * F64(ins[0].q.scale) * attrs.beta
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    least = np.iinfo(outs[0].dtype.numpy).min
    return np.clip(np.rint(256 * e / e.sum(axis=-1, keepdims=True)) + least, least, least + 255).astype(v[0].dtype)


RESCALE = [(m, "rescale", rescale_once) for m in (linear, elementwise, maps, unary)]
HIGH_MUL = [(fixed_point, "doubling_high_mul", high_mul_half_away)]
SHIFT = [(fixed_point, "rounding_shift_right", shift_half_up)]
MUTANTS: list[tuple[str, str, list[tuple[Any, str, Any]]]] = [
    *(("one rounding", k, RESCALE) for k in ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MUL", "QUANTIZE", "MEAN")),
    *(("first rounding half away", k, HIGH_MUL) for k in ("MUL", "QUANTIZE")),
    *(("second rounding half up", k, SHIFT) for k in ("CONV_2D", "ADD", "SUB", "MUL", "QUANTIZE")),
    ("float32 multiplier", "CONV_2D", [(linear, "conv_multipliers", conv_float32)]),
    ("float32 multiplier", "DEPTHWISE_CONV_2D", [(linear, "conv_multipliers", conv_float32)]),
    ("double product for uint8 too", "CONV_2D", [(linear, "conv_multipliers", conv_double)]),
    ("two roundings", "FULLY_CONNECTED", [("kernel", "FullyConnected", fc_two_roundings)]),
    ("double multiplier", "MUL", [(elementwise, "mul_multiplier", mul_double)]),
    ("double multipliers", "PRELU", [(elementwise, "prelu_multipliers", prelu_double)]),
    ("float32 multiplier", "QUANTIZE", [(unary, "requantize_multiplier", requantize_float32)]),
    ("count rounded into the multiplier", "MEAN", [(maps, "mean_multiplier", mean_rounded)]),
    ("half to even", "AVERAGE_POOL_2D", [("kernel", "AvgPool2D", pool_half_even)]),
    ("real arithmetic", "HARD_SWISH", [("tessera.frontend.convert", "hard_swish_table", hard_swish_real)]),
    ("float softmax", "SOFTMAX", [("kernel", "Softmax", softmax_float)]),
]


@pytest.mark.parametrize(("what", "name", "patches"), MUTANTS, ids=[f"{n}: {w}" for w, n, _ in MUTANTS])
def test_mutant_is_caught(what: str, name: str, patches: list[tuple[Any, str, Any]], oracle, monkeypatch) -> None:
    for seed in range(MOST_CASES):
        model, inputs = draw_case(name, seed)
        theirs = oracle(model).run(inputs)
        with monkeypatch.context() as patch:
            for target, attribute, value in patches:
                _apply(patch, target, attribute, value)
            graph = load_tflite(model)
            if differences(graph, run(graph, inputs), expected_tensors(graph, theirs)):
                return
    pytest.fail(f"{name} with {what} went unnoticed in {MOST_CASES} models")


def _apply(patch: pytest.MonkeyPatch, target: Any, attribute: str, value: Any) -> None:
    from tessera.interpreter.run import KERNELS
    from tessera.ir import attrs

    if target == "kernel":
        patch.setitem(KERNELS, getattr(attrs, attribute), value)
    elif isinstance(target, str):
        patch.setattr(f"{target}.{attribute}", value)
    else:
        patch.setattr(target, attribute, value)
