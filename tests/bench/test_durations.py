"""What the benchmarks say of many durations."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.durations import Durations, percentile

VALUES = st.lists(st.integers(0, 10**6), min_size=1, max_size=300)


@given(values=VALUES)
def test_percentiles_lie_between_the_least_and_the_largest_value(values: list[int]) -> None:
    found = [percentile(values, percent) for percent in (1, 50, 95, 99)]
    assert found == sorted(found)
    assert min(values) <= found[0]
    assert found[-1] <= max(values)
    assert found[1] == pytest.approx(statistics.median(values))


def test_a_percentile_is_between_two_values_by_their_distance() -> None:
    assert percentile(range(101), 95) == 95
    assert percentile([0.0, 100.0], 99) == 99.0


def test_few_values_have_percentiles_and_none_have_none() -> None:
    assert percentile([3.0], 99) == 3.0
    assert math.isnan(percentile([], 50))
    assert Durations.of_ms([3.04]).said == (
        "median 3.0 ms, p95 3.0 ms, p99 3.0 ms, worst 3.0 ms (of 1)"
    )
