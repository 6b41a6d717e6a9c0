import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tessera.kernels.strides import broadcast_strides, collapse, dense_strides


@st.composite
def broadcasts(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    out = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))
    kept = draw(st.lists(st.booleans(), min_size=len(out), max_size=len(out)))
    shape = tuple(d if k else 1 for d, k in zip(out, kept, strict=True))
    return shape[draw(st.integers(0, len(shape))) :], out


def offsets(dims: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    return [sum(i * s for i, s in zip(index, strides, strict=True)) for index in np.ndindex(*dims)]


@given(broadcasts())
def test_a_collapsed_walk_visits_the_same_elements(case: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    shape, out = case
    wanted = np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), out).reshape(-1).tolist()
    dims, strides, dense = collapse(out, broadcast_strides(shape, out), dense_strides(out))
    assert offsets(dims, strides) == wanted
    assert offsets(dims, dense) == list(range(len(wanted)))


def test_dense_operands_of_one_shape_are_one_run() -> None:
    shape = (1, 5, 6, 7)
    assert collapse(shape, broadcast_strides(shape, shape), broadcast_strides(shape, shape)) == ((210,), (1,), (1,))


def test_a_channel_vector_repeats_over_the_pixels() -> None:
    out = (1, 5, 6, 7)
    assert collapse(out, dense_strides(out), broadcast_strides((1, 1, 1, 7), out)) == ((30, 7), (7, 1), (0, 1))


def test_a_negative_step_stays_a_dimension_of_its_own() -> None:
    assert collapse((3, 4), (4, -1), (4, 1)) == ((3, 4), (4, -1), (4, 1))
