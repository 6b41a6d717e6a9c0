"""Spans: which rows (columns) of a map a step computes or needs, and what that is through an operator.

Everything is linear in the step t, so four numbers describe an axis. Through a window of kernel k, stride s and
padding p, rows [step * t + begin, step * (t + 1) + end) of the output need of the input

    begin' = s * begin - p,    end' = s * end + k - s - p,    step' = s * step.

Borders and warm-up need no special case: ranges are cut to the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import gcd
from typing import NamedTuple

from tessera.schedule.streamable import Axis, Upsample


class Span(NamedTuple):
    """Step t, for t >= first, computes or needs [step * t + begin, step * (t + 1) + end), cut to the map."""

    step: int
    begin: int
    end: int
    first: int

    @property
    def size(self) -> int:
        """Rows of one step."""
        return self.step + self.end - self.begin

    @property
    def gap(self) -> int:
        """Rows that neighbouring steps share."""
        return self.end - self.begin


def through(axis: Axis, out: Span) -> Span | None:
    """What the input has to give; None where no whole step of it belongs to a step of the output."""
    if isinstance(axis, Upsample):
        if out.step % axis.factor:
            return None
        begin, end = out.begin // axis.factor + axis.low, -(-out.end // axis.factor) + axis.high
        return Span(out.step // axis.factor, begin, end, out.first)
    s = axis.stride
    return Span(s * out.step, s * out.begin - axis.pad, s * out.end + axis.kernel - s - axis.pad, out.first)


def common_step(needs: Sequence[Span]) -> int:
    return gcd(*(q.step for q in needs))


def once(needs: Sequence[Span], step: int) -> tuple[Span, int]:
    """A map that computes every row once, `step` at a time, just ahead of its readers; and how many rows before the
    step's own they still read. A reader with a longer step makes rows wait; one that skips rows gets them too."""
    end = max(q.end for q in needs)
    begin = min(end, *(q.begin - (q.step - step) for q in needs))
    first = -((step + end - 1) // step)  # the first step that computes anything
    first = min(first, *(q.step // step * (q.first + 1) - 1 for q in needs))  # readers fire only where it does
    return Span(step, end, end, first), end - begin


def again(needs: Sequence[Span]) -> Span:
    """A map that computes in every step all that its readers need then; all have the same step."""
    step, begin, end = needs[0].step, min(q.begin for q in needs), max(q.end for q in needs)
    first = min(q.first for q in needs)
    return Span(step, begin, end, first if step * first + begin <= 0 else -begin // step)


@cache
def computed(span: Span, size: int, last: int) -> int:
    """Rows computed up to step `last` of a map of `size` rows, those computed again counted again."""
    return sum(
        max(0, min(size, span.step * (t + 1) + span.end) - max(0, span.step * t + span.begin))
        for t in range(span.first, last + 1)
    )


@cache
def last_step(span: Span, size: int) -> int:
    """The step that completes a map of `size` rows."""
    return max(span.first, -(-(size - span.step - span.end) // span.step))
