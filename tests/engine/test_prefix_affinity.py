"""What trees with the state `prefix` find in the caches of several servers, compared with one."""

from __future__ import annotations

import pytest

from bench.prefix import WAYS, Row, Watched, Way, measure

BLOCKS = 25_000


async def measured(
    way: Way, num_children: int, trees_at_once: int, trees: int = 16, blocks: int = BLOCKS
) -> Row:
    return await measure(way, trees_at_once, trees=trees, num_children=num_children, blocks=blocks)


@pytest.mark.parametrize(
    ("num_children", "trees_at_once", "trees"),
    # One small family at a time stays where the hash of its prompt says: few of them are chance.
    [(4, 1, 96), (4, 16, 16), (8, 6, 16), (24, 1, 16)],
)
async def test_three_servers_keep_the_hit_share_within_a_tenth_of_ones(
    num_children: int, trees_at_once: int, trees: int
) -> None:
    one, three, _ = [await measured(way, num_children, trees_at_once, trees) for way in WAYS]

    assert one.share >= 0.8
    assert three.share >= 0.9 * one.share
    assert three.most_on_one < 0.6


async def test_families_that_begin_at_one_moment_stay_with_their_parents() -> None:
    one, three, _ = [await measure(way, 6, trees=6, num_children=4, blocks=BLOCKS) for way in WAYS]

    assert three.share >= 0.9 * one.share
    assert three.most_on_one < 0.5


async def test_without_affinity_small_families_find_half_as_much() -> None:
    *_, scattered = [await measured(way, 4, 1) for way in WAYS]

    assert scattered.share < 0.6


async def test_a_cache_that_is_too_small_for_one_prefix_has_nothing_of_it() -> None:
    row = await measured(Way("1", Watched, 1), 4, 16, blocks=20)

    assert row.share < 0.2
