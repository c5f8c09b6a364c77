"""Bootstrap intervals on data whose mean and spread are known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banyan.evaluation.stats import difference, estimate


def test_a_constant_has_no_spread() -> None:
    result = estimate([(0.4,)] * 20)
    assert (result.mean, result.low, result.high) == pytest.approx((0.4, 0.4, 0.4))
    assert result.n == 20


def test_the_interval_of_a_share_is_as_wide_as_the_binomial_says() -> None:
    """100 items, half of them right: 0.5 plus and minus 1.96 times 0.05."""
    result = estimate([(1.0,), (0.0,)] * 50)
    assert result.mean == 0.5
    half = 1.96 * math.sqrt(0.25 / 100)
    assert result.low == pytest.approx(0.5 - half, abs=0.015)
    assert result.high == pytest.approx(0.5 + half, abs=0.015)


def test_several_measures_are_the_geometric_mean_of_their_means() -> None:
    """Not the mean of the items' geometric means: the second item would be 0 there."""
    result = estimate([(0.4, 0.2, 0.3), (0.2, 0.0, 0.1)])
    assert result.mean == pytest.approx((0.3 * 0.1 * 0.2) ** (1 / 3))


def test_pairs_take_out_what_the_items_have_in_common() -> None:
    """Hard and easy items; ours is better by 0.1 on each of them."""
    theirs = [(0.0,), (0.9,)] * 10
    ours = [(value + 0.1,) for (value,) in theirs]
    result = difference(ours, theirs)
    assert (result.mean, result.low, result.high) == pytest.approx((0.1, 0.1, 0.1))
    assert estimate(ours).high - estimate(ours).low > 0.2


def test_the_seed_decides_and_is_repeatable() -> None:
    rows = [(float(number % 3),) for number in range(30)]
    assert estimate(rows, seed=7) == estimate(rows, seed=7)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_mean_lies_in_the_data_and_the_interval_too(values: list[float]) -> None:
    result = estimate([(value,) for value in values])
    low, high = min(values) - 1e-9, max(values) + 1e-9
    assert low <= result.low <= result.high <= high
    assert low <= result.mean <= high


def test_nothing_has_no_mean() -> None:
    with pytest.raises(ValueError, match="at least one"):
        estimate([])
    with pytest.raises(ValueError, match="pairs"):
        difference([(1.0,)], [(1.0,), (0.0,)])
