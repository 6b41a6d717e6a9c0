"""The window of a convolution as Armv7E-M kernels see it: shapes, words of weights, scratch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tessera.arith.fixed_point import Ints
from tessera.ir.attrs import Conv2D
from tessera.ir.graph import Graph, Op
from tessera.kernels.call import Struct, Value
from tessera.kernels.dsp.weight_words import tap_order
from tessera.kernels.operands import output_of
from tessera.memory.align import align_up
from tessera.memory.overlap import is_pointwise

MOST_PIXELS = (4, 2, 1)  # that a kernel with scratch takes at a time


@dataclass(frozen=True, slots=True)
class Window:
    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    kernel_h: int
    kernel_w: int
    stride: tuple[int, int]
    pad_top: int
    pad_left: int
    centred: bool  # the weights have a zero point other than 0

    @property
    def is_rgb(self) -> bool:
        return (self.kernel_h, self.kernel_w, self.in_c) == (3, 3, 3)

    @property
    def order(self) -> Ints:
        """Of the weights of an output channel, see `tap_order`."""
        return tap_order(self.kernel_h, self.kernel_w * self.in_c)

    @property
    def rgb_order(self) -> Ints:
        """Eight of each row, then the ninth of all three and none: 7 words, not 9."""
        rows = 9 * np.arange(3)[:, None] + np.arange(8)
        return np.array([*rows.reshape(-1), 8, 17, 26, -1])

    @property
    def pixels(self) -> int:
        return next(n for n in MOST_PIXELS if n <= self.out_w)

    @property
    def is_padded_vertically(self) -> bool:
        bottom = (self.out_h - 1) * self.stride[0] - self.pad_top + self.kernel_h
        return self.pad_top > 0 or bottom > self.in_h

    @property
    def strip_bytes(self) -> int:
        """Rows of neighbouring windows, copied where a part of them lies in the padding; a row of less than four bytes
        also where a word would go beyond the map."""
        taps = self.kernel_w * self.in_c
        right = (self.out_w - 1) * self.stride[1] - self.pad_left + self.kernel_w
        beside = self.pad_left > 0 or right > self.in_w
        steps = (self.pixels - 1) * self.stride[1] * self.in_c
        if self.is_rgb:
            return 3 * (steps + taps) if beside or self.is_padded_vertically else 0
        return steps + max(taps, 4) if beside or taps < 4 else 0

    @property
    def scratch_bytes(self) -> int:
        words = 7 if self.is_rgb else self.kernel_h * -(-self.kernel_w * self.in_c // 4)
        return 8 * self.pixels * (words + self.centred) + align_up(self.strip_bytes)

    @property
    def fields(self) -> tuple[tuple[str, Value], ...]:
        """The first ones of the kernels' structs."""
        return (
            ("in", _shape(self.in_h, self.in_w, self.in_c)),
            ("out", _shape(self.out_h, self.out_w, self.out_c)),
            ("kernel_h", self.kernel_h),
            ("kernel_w", self.kernel_w),
            ("stride_h", self.stride[0]),
            ("stride_w", self.stride[1]),
            ("pad_top", self.pad_top),
            ("pad_left", self.pad_left),
        )


def window_of(graph: Graph, op: Op, *, streamed: bool) -> Window:
    """A layer of a 1x1 convolution is one row of all its pixels."""
    assert isinstance(op.attrs, Conv2D)
    x, weights, out = (graph.tensor(t) for t in (*op.inputs[:2], output_of(op)))
    out_c, kernel_h, kernel_w, in_c = weights.shape
    (in_h, in_w), (out_h, out_w) = x.shape[1:3], out.shape[1:3]
    if not streamed and is_pointwise(graph, op, op.attrs):
        in_h, in_w = out_h, out_w = 1, out.size // out_c
    pad_top, _, pad_left, _ = op.attrs.padding
    return Window(
        in_h=in_h,
        in_w=in_w,
        in_c=in_c,
        out_h=out_h,
        out_w=out_w,
        out_c=out_c,
        kernel_h=kernel_h,
        kernel_w=kernel_w,
        stride=op.attrs.stride,
        pad_top=pad_top,
        pad_left=pad_left,
        centred=weights.q.zero_point != 0,
    )


def _shape(h: int, w: int, c: int) -> Struct:
    return Struct("tess_shape_t", (("h", h), ("w", w), ("c", c)))
