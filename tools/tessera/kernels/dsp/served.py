"""Which kernels `lower` and `lower_span` may pick for a file's operator, and what sends it back to the portable one.

For people: docs/operators.md is written from it. What decides are the functions that `lower` calls.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Served:
    """`portable_if` completes "the portable kernel runs if ..."; empty: it never does."""

    operators: tuple[str, ...]
    layer: tuple[str, ...]  # C functions, without tess_ and __dsp
    stage: tuple[str, ...]
    portable_if: tuple[str, ...]


SERVED: tuple[Served, ...] = (
    Served(
        ("CONV_2D",),
        ("conv2d_s8", "conv2d_lean_s8"),
        ("conv2d_span_s8", "conv2d_lean_span_s8"),
        (
            "two neighbouring weights are -128 and a negative one",
            "weights have a zero point (uint8 models) and sums or factors are beyond fine requantization, or the "
            "kernel must be lean",
            "a lean kernel's sums are beyond 24 bits",
        ),
    ),
    Served(
        ("DEPTHWISE_CONV_2D",),
        ("depthwise_conv2d_s8", "depthwise_taps_s8"),
        ("depthwise_conv2d_span_s8", "depthwise_taps_span_s8"),
        (
            "the depth multiplier is not 1",
            "sums or factors are beyond packed requantization",
            "there are less than four channels (as a layer: no multiple of four), or weights with a zero point, and "
            "the kernel is not 3x3, 5x5 or 7x7 of stride 1 or 2, or must be lean in a stage",
        ),
    ),
    Served(
        ("FULLY_CONNECTED",),
        ("fully_connected_s8", "fully_connected_expanded_s8"),
        (),
        (
            "weights less their zero point are no int8, or two neighbouring ones are -128 and a negative one",
            "factors are beyond its requantization",
        ),
    ),
    Served(
        ("ADD", "SUB"),
        ("elementwise_s8",),
        ("elementwise_span_s8",),
        ("no linear function gives the output of all 65,536 pairs of bytes",),
    ),
    Served(
        ("MUL",),
        ("elementwise_s8",),
        ("elementwise_span_s8",),
        ("the factor of the products is not in [2^-23, 1/2)",),
    ),
    Served(
        ("AVERAGE_POOL_2D",),
        ("avg_pool2d_s8",),
        ("avg_pool2d_span_s8", "avg_pool2d_map_span_s8"),
        (
            "there are less than four channels, or a window has more than 256 pixels (in a stage never where one "
            "window is the map)",
        ),
    ),
    Served(
        ("MAX_POOL_2D",),
        ("max_pool2d_s8",),
        ("max_pool2d_span_s8",),
        ("there are less than four channels",),
    ),
    Served(
        ("MEAN",),
        ("mean_map_s8", "mean_of_means_s8"),
        ("mean_map_span_s8", "mean_of_means_span_s8"),
        ("as a layer, there are less than four channels, or it is not over rows and columns of a map",),
    ),
    Served(
        ("HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1", "TANH"),
        ("lookup_8", "flip_8"),
        ("lookup_span_8", "flip_span_8"),
        ("it takes float32",),
    ),
)

VIEWS = ("EXPAND_DIMS", "RESHAPE", "SQUEEZE")
"""Operators that no kernel runs for: the same bytes by another shape."""
