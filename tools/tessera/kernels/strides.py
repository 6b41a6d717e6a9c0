"""Strided blocks: broadcast, sub-blocks, and dimensions that can be walked as one."""

from __future__ import annotations

from itertools import pairwise

Dims = tuple[int, ...]


def dense_strides(shape: Dims) -> Dims:
    """Elements from one index to the next, row-major."""
    strides: list[int] = []
    size = 1
    for d in reversed(shape):
        strides.insert(0, size)
        size *= d
    return tuple(strides)


def broadcast_strides(shape: Dims, out_shape: Dims) -> Dims:
    """Strides of a dense operand over the output's dimensions: 0 where it repeats."""
    padded = (1,) * (len(out_shape) - len(shape)) + shape
    strides = dense_strides(padded)
    return tuple(0 if p == 1 else s for p, s in zip(padded, strides, strict=True))


def collapse(dims: Dims, *strides: Dims) -> tuple[Dims, ...]:
    """The same walk with as few dimensions as possible: (dims, strides...). Dimensions of 1 go; neighbours that all
    operands pass with one step become one."""
    kept = [i for i, d in enumerate(dims) if d != 1]
    if not kept:
        return ((1,), *((1,) for _ in strides))
    groups = [[kept[0]]]
    for outer, inner in pairwise(kept):
        if all(s[outer] == s[inner] * dims[inner] for s in strides):
            groups[-1].append(inner)
        else:
            groups.append([inner])
    merged: list[int] = []
    for group in groups:
        merged.append(1)
        for i in group:
            merged[-1] *= dims[i]
    return (tuple(merged), *(tuple(s[group[-1]] for group in groups) for s in strides))
