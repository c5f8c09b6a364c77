"""A limit takes a fair sample, and a larger one adds to it."""

from __future__ import annotations

from collections import Counter

import pytest

from banyan.evaluation.errors import Unknown
from banyan.evaluation.item import Item
from banyan.evaluation.selection import select
from tests.evaluation.makers import item

ITEMS = [
    item(f"{bucket}-{task}-{number}", bucket=bucket, stratum=task, document=f"text {number}")
    for bucket in ("short", "long")
    for task in ("count", "compare", "find")
    for number in range(4)
]


def ids(items: list[Item]) -> list[str]:
    return [one.question.id for one in items]


def test_all_items_are_taken_once_without_a_limit() -> None:
    assert sorted(ids(select(ITEMS))) == sorted(ids(ITEMS))


def test_a_limit_is_of_each_bucket_and_spread_over_tasks_and_documents() -> None:
    chosen = select(ITEMS, limit=3)
    for bucket in ("short", "long"):
        its = [one for one in chosen if one.question.bucket == bucket]
        assert Counter(one.stratum for one in its) == {"count": 1, "compare": 1, "find": 1}
        assert len({one.question.documents for one in its}) == 3


def test_buckets_take_turns() -> None:
    buckets = [one.question.bucket for one in select(ITEMS, limit=2)]
    assert buckets == ["short", "long", "short", "long"]


def test_a_larger_limit_keeps_what_a_smaller_one_chose() -> None:
    assert set(ids(select(ITEMS, limit=2))) < set(ids(select(ITEMS, limit=5)))


def test_the_seed_decides_which_ones() -> None:
    samples = {tuple(ids(select(ITEMS, limit=2, seed=seed))) for seed in range(8)}
    assert len(samples) > 1
    again = select(ITEMS[::-1], limit=2, seed=3)
    assert set(ids(again)) == set(ids(select(ITEMS, limit=2, seed=3)))


def test_only_the_named_buckets_are_taken() -> None:
    assert {one.question.bucket for one in select(ITEMS, buckets=["long"])} == {"long"}


def test_a_bucket_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(Unknown, match="huge") as caught:
        select(ITEMS, buckets=["huge"])
    assert "short, long" in caught.value.hint
