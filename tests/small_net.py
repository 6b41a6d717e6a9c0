"""Small whole networks, for tests that go from a file to a board; nothing has to be downloaded or trained for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from single_op import Spec, model_of, options

INPUT_SHAPE = (1, 12, 10, 3)


def _ints(values: Any) -> Spec:
    array = np.asarray(values, np.int32)
    return Spec(array.shape, np.int32, data=array)


def _weights(rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> tuple[Spec, Spec]:
    channels = shape[axis]
    scales = rng.uniform(0.004, 0.012, channels)
    data: NDArray[np.int64] = rng.integers(-127, 128, shape)
    bias = rng.integers(-800, 800, channels)
    return Spec(shape, np.int8, scales, 0, data, axis), Spec((channels,), np.int32, 0.05 * scales, 0, bias)


def small_net(seed: int = 0, height: int = 12, width: int = 10) -> bytes:
    """PAD, strided CONV_2D, a residual block with DEPTHWISE_CONV_2D and ADD, MEAN, FULLY_CONNECTED, SOFTMAX."""
    half = (1, height // 2, width // 2, 8)
    rng = np.random.default_rng(seed)
    tensors: list[Spec] = []

    def add(spec: Spec) -> int:
        tensors.append(spec)
        return len(tensors) - 1

    image = add(Spec((1, height, width, 3), np.int8, 1 / 255, -128))
    pads = add(_ints([[0, 0], [1, 1], [1, 1], [0, 0]]))
    padded = add(Spec((1, height + 2, width + 2, 3), np.int8, 1 / 255, -128))
    stem_w, stem_b = (add(s) for s in _weights(rng, (8, 3, 3, 3), 0))
    stem = add(Spec(half, np.int8, 0.02, -128))
    dw_w, dw_b = (add(s) for s in _weights(rng, (1, 3, 3, 8), 3))
    dw = add(Spec(half, np.int8, 0.03, -128))
    pw_w, pw_b = (add(s) for s in _weights(rng, (8, 1, 1, 8), 0))
    pw = add(Spec(half, np.int8, 0.05, 3))
    total = add(Spec(half, np.int8, 0.06, -7))
    axes = add(_ints([1, 2]))
    mean = add(Spec((1, 8), np.int8, 0.05, -5))
    fc_w, fc_b = (add(s) for s in _weights(rng, (4, 8), 0))
    logits = add(Spec((1, 4), np.int8, 0.1, 2))
    scores = add(Spec((1, 4), np.int8, 1 / 256, -128))
    relu6, same, valid = 3, 0, 1
    conv = {"strideH": 1, "strideW": 1, "padding": same, "dilationHFactor": 1, "dilationWFactor": 1}
    strided = {**conv, "strideH": 2, "strideW": 2, "padding": valid, "fusedActivationFunction": relu6}
    separable = options("DepthwiseConv2D", **conv, depthMultiplier=1, fusedActivationFunction=relu6)
    ops = [
        ("PAD", [image, pads], [padded], options("Pad"), 2),
        ("CONV_2D", [padded, stem_w, stem_b], [stem], options("Conv2D", **strided), 3),
        ("DEPTHWISE_CONV_2D", [stem, dw_w, dw_b], [dw], separable, 3),
        ("CONV_2D", [dw, pw_w, pw_b], [pw], options("Conv2D", **conv), 3),
        ("ADD", [stem, pw], [total], options("Add"), 2),
        ("MEAN", [total, axes], [mean], options("Reducer", keepDims=False), 2),
        ("FULLY_CONNECTED", [mean, fc_w, fc_b], [logits], options("FullyConnected"), 4),
        ("SOFTMAX", [logits], [scores], options("Softmax", beta=1.0), 2),
    ]
    return model_of(tensors, ops, [image], [scores])


def large_net() -> bytes:
    """One strided convolution of a frame of 786,432 bytes: more than most chips have."""
    rng = np.random.default_rng(0)
    weights, bias = _weights(rng, (4, 3, 3, 3), 0)
    tensors = [Spec((1, 512, 512, 3), np.int8, 1 / 255, -128), weights, bias, Spec((1, 255, 255, 4), np.int8, 0.1, 0)]
    stride = options("Conv2D", strideH=2, strideW=2, padding=1, dilationHFactor=1, dilationWFactor=1)
    return model_of(tensors, [("CONV_2D", [0, 1, 2], [3], stride, 3)], [0], [3])
