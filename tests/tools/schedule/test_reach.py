"""Spans against the rows that they stand for, one by one."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.schedule.reach import Span, again, common_step, computed, last_step, once, through
from tessera.schedule.streamable import Axis, Upsample, Window

STEPS = range(-12, 13)

windows = st.builds(Window, st.integers(1, 7), st.integers(1, 4), st.integers(0, 4))
upsamples = st.builds(
    lambda factor, low, more: Upsample(factor, low, low + more),
    st.integers(1, 4),
    st.integers(-1, 1),
    st.integers(0, 2),
)


@st.composite
def spans(draw: st.DrawFn, step: int | None = None) -> Span:
    """Of at least one row, that starts where there is nothing above it."""
    step = draw(st.integers(1, 5)) if step is None else step
    begin = draw(st.integers(-9, 5))
    end = draw(st.integers(max(begin, begin + 1 - step), begin + 9))
    return Span(step, begin, end, -max(0, -(-begin // step)) - draw(st.integers(0, 2)))


def rows_of(span: Span, t: int) -> range:
    return range(span.step * t + span.begin, span.step * (t + 1) + span.end)


def seen(axis: Axis, row: int) -> range:
    """What a row of the output sees of the input."""
    if isinstance(axis, Upsample):
        return range(row // axis.factor + axis.low, row // axis.factor + axis.high + 1)
    return range(row * axis.stride - axis.pad, row * axis.stride - axis.pad + axis.kernel)


def hull(rows: Iterator[int]) -> range:
    every = set(rows)
    return range(min(every), max(every) + 1)


@given(st.one_of(windows, upsamples), spans())
def test_through_an_operator(axis: Axis, out: Span) -> None:
    need = through(axis, out)
    if isinstance(axis, Upsample) and out.step % axis.factor:
        assert need is None
        return
    assert need is not None
    assert need.first == out.first
    for t in STEPS:
        assert rows_of(need, t) == hull(y for row in rows_of(out, t) for y in seen(axis, row))


def test_a_chain_of_two() -> None:
    """3x3 by 2 with padding 1 behind 5x5 by 1 with padding 2: two rows of the last map a step."""
    need = through(Window(3, 2, 1), Span(2, 0, 0, 0))
    assert need == Span(4, -1, 0, 0)  # rows -1..3
    assert need.size == 5
    assert need.gap == 1
    assert through(Window(5, 1, 2), need) == Span(4, -3, 2, 0)
    assert through(Upsample(2, 0, 1), need) == Span(2, -1, 1, 0)
    assert through(Upsample(3, 0, 0), need) is None


@st.composite
def readers(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Of one map, and a step that divides theirs."""
    step = draw(st.integers(1, 3))
    needs = [draw(spans(step * draw(st.integers(1, 3)))) for _ in range(draw(st.integers(1, 3)))]
    return needs, step


@given(readers())
def test_once_computes_just_ahead_of_its_readers(case: tuple[list[Span], int]) -> None:
    """A reader's step t runs with the map's step that ends where the reader's ends."""
    needs, step = case
    span, before = once(needs, step)
    assert common_step(needs) % step == 0
    assert (span.step, span.gap) == (step, 0)
    assert before >= 0
    behind, slack = [], []
    for q in needs:
        for t in STEPS:
            mine = rows_of(span, q.step // step * (t + 1) - 1)
            assert rows_of(q, t).stop <= mine.stop
            assert rows_of(q, t).start >= mine.start - before
            slack.append(mine.stop - rows_of(q, t).stop)
            behind.append(rows_of(q, t).start - (mine.start - before))
    assert min(slack) == 0  # no earlier than it must
    assert not before or min(behind) == 0  # and no row more


@given(readers(), st.integers(1, 20))
def test_once_computes_every_row_once_from_its_first_step(case: tuple[list[Span], int], size: int) -> None:
    needs, step = case
    span, _ = once(needs, step)
    done = [y for t in range(span.first, last_step(span, size) + 1) for y in rows_of(span, t) if 0 <= y < size]
    assert done == list(range(size))
    assert computed(span, size, last_step(span, size)) == size
    for q in needs:  # a reader fires only where the map does
        assert span.first <= q.step // step * (q.first + 1) - 1
    assert not set(rows_of(span, span.first - 1)) & set(range(size))


@given(st.integers(1, 4).flatmap(lambda step: st.lists(spans(step), min_size=1, max_size=3)), st.integers(1, 20))
def test_again_computes_what_is_needed_in_every_step(needs: list[Span], size: int) -> None:
    span = again(needs)
    for t in STEPS:
        assert rows_of(span, t) == hull(y for q in needs for y in rows_of(q, t))
    done = {y for t in range(span.first, last_step(span, size) + 1) for y in rows_of(span, t)}
    assert done >= set(range(size))
    for q in needs:
        assert span.first <= q.first


@given(spans(), st.integers(1, 30), st.integers(-5, 30))
def test_computed_counts_every_row_that_a_step_computes(span: Span, size: int, last: int) -> None:
    assert computed(span, size, last) == sum(
        0 <= y < size for t in range(span.first, last + 1) for y in rows_of(span, t)
    )


@given(spans(), st.integers(1, 30))
def test_last_step_completes(span: Span, size: int) -> None:
    last = last_step(span, size)
    assert last >= span.first
    assert rows_of(span, last).stop >= size
    assert last == span.first or rows_of(span, last - 1).stop < size


@settings(max_examples=30)
@given(st.integers(-6, 6), st.integers(1, 5))
def test_again_starts_where_nothing_is_above(begin: int, step: int) -> None:
    """Where readers begin below the map's first row, an earlier step computes what is above."""
    span = again([Span(step, begin, begin, 0)])
    assert span.step * span.first + span.begin <= 0
