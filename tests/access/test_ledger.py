"""Tenants' trees under way, counted exactly: the twin and a server pass the same tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from banyan.adapters.memory_ledger import MemoryLedger
from banyan.adapters.redis_ledger import RedisLedger
from banyan.ports import Entry, Ledger
from tests.fixtures.namespaces import namespace
from tests.fixtures.waiting import eventually


@pytest.fixture
async def ledger(store_url: str | None) -> AsyncIterator[Ledger]:
    made: Ledger
    made = RedisLedger(store_url, namespace=namespace()) if store_url else MemoryLedger()
    yield made
    await made.close()


async def reserve(
    ledger: Ledger,
    tree: str,
    *,
    tenant: str = "acme",
    nodes: int = 10,
    trees: int | None = 3,
    max_nodes: int | None = None,
    ttl_s: float = 60.0,
) -> Entry:
    return await ledger.reserve(
        tenant, tree, nodes=nodes, max_trees=trees, max_nodes=max_nodes, ttl_s=ttl_s
    )


async def test_of_many_at_one_time_exactly_as_many_as_allowed_are_granted(ledger: Ledger) -> None:
    entries = await asyncio.gather(*(reserve(ledger, f"t{index}") for index in range(20)))

    assert sum(entry.is_granted for entry in entries) == 3
    assert max(entry.trees for entry in entries) == 3


async def test_nodes_are_counted_together(ledger: Ledger) -> None:
    granted = [
        (await reserve(ledger, f"t{index}", nodes=40, trees=None, max_nodes=100)).is_granted
        for index in range(3)
    ]
    small = await reserve(ledger, "small", nodes=20, trees=None, max_nodes=100)

    assert granted == [True, True, False]
    assert (small.is_granted, small.trees, small.nodes) == (True, 3, 100)


async def test_a_tree_that_is_counted_is_not_counted_again(ledger: Ledger) -> None:
    first, again = await reserve(ledger, "t", trees=1), await reserve(ledger, "t", trees=1)

    assert (first.is_granted, first.is_new) == (True, True)
    assert (again.is_granted, again.is_new, again.trees) == (True, False, 1)


async def test_what_was_released_has_room_again(ledger: Ledger) -> None:
    await reserve(ledger, "a", trees=1)
    await ledger.keep("acme", "a", ttl_s=60)
    assert (await reserve(ledger, "b", trees=1)).kept == ("a",)
    await ledger.release("acme", "a", "never there")

    entry = await reserve(ledger, "b", trees=1)
    assert (entry.is_granted, entry.kept) == (True, ())


async def test_what_a_crash_left_behind_ends_by_itself(ledger: Ledger) -> None:
    await reserve(ledger, "left", trees=1, ttl_s=0.01)

    async def is_granted() -> bool:
        return (await reserve(ledger, "next", trees=1)).is_granted

    assert await eventually(is_granted)


async def test_what_was_kept_outlives_its_reservation(ledger: Ledger) -> None:
    await reserve(ledger, "kept", trees=5, ttl_s=0.01)
    await ledger.keep("acme", "kept", ttl_s=60)
    await reserve(ledger, "left", trees=5, ttl_s=0.01)

    async def left_is_gone() -> bool:
        return (await reserve(ledger, "kept", trees=5)).trees == 1

    assert await eventually(left_is_gone)
    # What was never reserved cannot be kept.
    await ledger.keep("acme", "other", ttl_s=60)
    assert (await reserve(ledger, "kept", trees=5)).trees == 1


async def test_tenants_do_not_count_for_one_another(ledger: Ledger) -> None:
    await reserve(ledger, "a", trees=1)

    assert (await reserve(ledger, "b", trees=1, tenant="other")).is_granted
