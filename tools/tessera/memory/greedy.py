"""Offsets by greedy placement: each buffer in turn beside those already placed.

Pisarchyk & Lee, "Efficient memory management for deep neural net inference" (arXiv 2001.03288), greedy by size, with
distances in place of sizes, more orders, and repair: buffers that stick out are moved to the front of the order.
"""

from __future__ import annotations

from collections.abc import Sequence

from tessera.memory.plan import Buffer

Distances = list[dict[int, int]]  # [a][b], for buffers alive together: offset(a) + [a][b] <= offset(b), or b before a
Pairs = frozenset[tuple[int, int]]  # (a, b) and (b, a): or their offsets are equal
REPAIRS = 40


def place_greedily(
    buffers: Sequence[Buffer], distances: Distances, equal: Pairs, pressure: Sequence[int], goal_bytes: int
) -> tuple[int, ...]:
    """The best offsets found; stops as soon as they end within `goal_bytes`."""
    best: tuple[int, ...] = ()
    best_end = -1
    for order in _orders(buffers, pressure):
        for outward in (False, True):
            for _ in range(REPAIRS):
                offsets = _place(order, buffers, distances, equal, outward=outward)
                ends = [o + b.nbytes for o, b in zip(offsets, buffers, strict=True)]
                end = max(ends, default=0)
                if best_end < 0 or end < best_end:
                    best, best_end = offsets, end
                if best_end <= goal_bytes:
                    return best
                highest = ends.index(end)
                if order[0] == highest:
                    break
                order = [highest, *(i for i in order if i != highest)]
    return best


def _orders(buffers: Sequence[Buffer], pressure: Sequence[int]) -> list[list[int]]:
    """Large first; large and long-lived first; alive at the worst steps first; by birth; by death."""
    ids = range(len(buffers))
    worst = [max(pressure[b.start : b.end], default=0) for b in buffers]
    return [
        sorted(ids, key=lambda i: (-buffers[i].nbytes, i)),
        sorted(ids, key=lambda i: (-buffers[i].nbytes * (buffers[i].end - buffers[i].start), i)),
        sorted(ids, key=lambda i: (-worst[i], -buffers[i].nbytes, i)),
        sorted(ids, key=lambda i: (buffers[i].start, -buffers[i].end, i)),
        sorted(ids, key=lambda i: (-buffers[i].end, -buffers[i].start, i)),
    ]


def _place(
    order: Sequence[int], buffers: Sequence[Buffer], distances: Distances, equal: Pairs, *, outward: bool
) -> tuple[int, ...]:
    """Each buffer at the lowest offset that its placed neighbours allow; outward: or below them, when that keeps the
    arena smaller, everything moving up at the end. (An output slides under its input, so room below it counts.)"""
    offsets: dict[int, int] = {}
    low = high = 0
    for i in order:
        # i may not lie at (offsets[j] - distance(i, j), offsets[j] + distance(j, i)), an open interval
        blocked = []
        for j in (j for j in distances[i] if j in offsets):
            begin, end = offsets[j] - distances[i][j], offsets[j] + distances[j][i]
            blocked += [(begin, offsets[j]), (offsets[j], end)] if (i, j) in equal else [(begin, end)]
        blocked.sort()
        choices = [_first_free(low, blocked)]
        if outward:
            choices += [at for at in {b[0] for b in blocked} if not any(begin < at < end for begin, end in blocked)]
        n = buffers[i].nbytes
        at = min(choices, key=lambda at: (max(high, at + n) - min(low, at), at))
        offsets[i] = at
        low, high = min(low, at), max(high, at + n)
    return tuple(offsets[i] - low for i in range(len(buffers)))


def _first_free(at: int, blocked: Sequence[tuple[int, int]]) -> int:
    for begin, end in blocked:
        if begin < at < end:
            at = end
    return at
