import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tessera.arith.fixed_point import round_half_away
from tessera.arith.single_rounding import accumulator_bound, single_rounding
from tessera.errors import UnsupportedModel


def assert_equal_on(real: float, bound: int, zero_point: int, accumulators: np.ndarray) -> None:
    (m,), (s,) = single_rounding(real, bound, zero_point)
    assert int(bound) * int(m) < 1 << 62
    acc = np.unique(np.clip(accumulators, -bound, bound))
    product = acc * m
    ours = (product + (np.int64(1) << (s - 1)) - (product < 0)) >> s
    double = round_half_away(acc * real).astype(np.int64)
    assert np.array_equal(np.clip(ours + zero_point, -128, 127), np.clip(double + zero_point, -128, 127))


def near_every_tie(real: float, bound: int) -> np.ndarray:
    ties = np.clip((np.arange(-260, 260) + 0.5) / real, -bound, bound)
    return (np.rint(ties)[:, None] + np.arange(-3, 4)).astype(np.int64).reshape(-1)


@settings(max_examples=300, deadline=None)
@given(
    scales=st.tuples(*[st.floats(2.0**-20, 8, width=32)] * 3),
    bound=st.integers(1, (1 << 31) - 1),
    zero_point=st.integers(-128, 127),
    seed=st.integers(0, 1000),
)
def test_equals_the_double_at_every_tie(
    scales: tuple[float, float, float], bound: int, zero_point: int, seed: int
) -> None:
    x, w, y = (np.float64(np.float32(s)) for s in scales)
    real = float(x * w / y)
    noise = np.random.default_rng(seed).integers(-bound, bound + 1, 2000)
    try:
        assert_equal_on(real, bound, zero_point, np.concatenate([near_every_tie(real, bound), noise]))
    except UnsupportedModel:
        reject()  # ties on the last bit: see below


@pytest.mark.parametrize("zero_point", [-128, -1, 0, 127])
@pytest.mark.parametrize("exponent", [0, 1, 2, 7, 13, 20, 30])
def test_powers_of_two_have_exact_ties(exponent: int, zero_point: int) -> None:
    bound = 1 << min(exponent + 9, 30)
    assert_equal_on(2.0**-exponent, bound, zero_point, near_every_tie(2.0**-exponent, bound))


def test_every_accumulator_of_small_fractions() -> None:
    for n in (3, 5, 6, 10, 12, 24, 48, 96, 100, 255):
        assert_equal_on(1 / n, 300 * n, 0, np.arange(-300 * n, 300 * n + 1))


def test_typical_layers_get_31_bit_multipliers() -> None:
    rng = np.random.default_rng(0)
    real = rng.uniform(1e-4, 1e-2, 1000)
    m, s = single_rounding(real, np.full(1000, 4_000_000), -128)
    assert np.all((m > 1 << 28) & (m < 1 << 31))
    assert np.all((s > 0) & (s < 63))


def test_ties_on_the_last_bit_of_the_double_are_refused() -> None:
    """acc / 1370 lands on some ties and a hair beside others: no linear integer form does that."""
    with pytest.raises(UnsupportedModel, match="no integer multiplier"):
        single_rounding(1 / 1370, 31214 * 8, 0)


def test_a_large_bias_leaves_few_ties() -> None:
    """mcunetv2_large: accumulators of 988,819,830 +- 250,000, where all from -988,819,830 on would have no solution."""
    real, bias, spread = 1.2064883125205292e-07, 988_569_830, 250_000
    with pytest.raises(UnsupportedModel):
        single_rounding(real, bias + spread, 0)
    (m,), (s,) = single_rounding(real, bias + spread, 0, acc_range=([bias - spread], [bias + spread]))
    acc = np.arange(bias - spread, bias + spread + 1)
    assert np.array_equal((acc * m + (np.int64(1) << (s - 1))) >> s, round_half_away(acc * real))


def test_accumulators_beyond_int32_are_refused() -> None:
    with pytest.raises(UnsupportedModel, match="32 bits"):
        single_rounding(1e-6, 1 << 31, 0)


def test_zero_scale_gives_zero() -> None:
    (m,), (s,) = single_rounding(0.0, 1000, 5)
    assert m == 0
    assert s >= 1


def test_accumulator_bound_is_reached() -> None:
    rng = np.random.default_rng(1)
    weights, bias = rng.integers(-127, 128, (4, 6)), rng.integers(-1000, 1000, 4)
    low, high = -130, 125
    most = np.where(weights > 0, high, low)
    least = np.where(weights > 0, low, high)
    reached = np.maximum(abs((weights * most).sum(1) + bias), abs((weights * least).sum(1) + bias))
    assert np.array_equal(accumulator_bound(weights, bias, low, high), reached)


@pytest.mark.parametrize("zero_point", [-128, 0, 127])
def test_without_ties_the_sign_does_not_matter(zero_point: int) -> None:
    """Half-way values of the real scale included: the multiplier is then a little larger."""
    for real in (2.0**-7, 2.0**-13, 1 / 48, 0.0123):
        bound = round(300 / real)
        (m,), (s,) = single_rounding(real, bound, zero_point, avoid_ties=True)
        acc = np.unique(np.clip(near_every_tie(real, bound), -bound, bound))
        ours = (acc * m + (np.int64(1) << (s - 1))) >> s
        double = round_half_away(acc * real).astype(np.int64)
        assert np.array_equal(np.clip(ours + zero_point, -128, 127), np.clip(double + zero_point, -128, 127))
