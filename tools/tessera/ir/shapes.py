"""Sizes of windows over a feature map."""

from __future__ import annotations


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """(before, after) of TensorFlow's SAME padding; the odd pixel goes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def window_count(size: int, kernel: int, stride: int, before: int, after: int) -> int:
    """Output size along one axis."""
    return (size + before + after - kernel) // stride + 1
