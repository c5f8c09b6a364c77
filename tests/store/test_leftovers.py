"""Texts that trees derived: kept as long as the tree, then left behind to be removed, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from banyan.adapters.memory_leftovers import MemoryLeftovers
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.redis_leftovers import RedisLeftovers
from banyan.adapters.redis_store import RedisStore
from banyan.budget import Budget
from banyan.errors import StaleLease
from banyan.ports import Leftover, Leftovers, Store
from tests.fixtures.namespaces import namespace
from tests.fixtures.waiting import eventually
from tests.store.trees import FAILED, NUM_SHARDS, Forest, admission


@dataclass
class Ground:
    """Trees, and what those that are gone have left."""

    forest: Forest
    leftovers: Leftovers

    async def tree(self, *documents: str, tenant: str = "acme") -> str:
        """A tree that derived `documents` and has ended."""
        tree = await self.forest.plant(tenant=tenant)
        lease = await self.forest.lease(tree)
        for document in documents:
            await self.forest.store.derive(lease, document)
        await self.forest.finish(lease, FAILED)
        return tree

    async def take(self, lease_s: float = 60.0) -> list[Leftover]:
        await self.forest.store.reap()
        return await self.leftovers.take(lease_s=lease_s, limit=10)


MakeGround = Callable[..., Ground]


@pytest.fixture
async def make(store_url: str | None) -> AsyncIterator[MakeGround]:
    made: list[Ground] = []

    def make_one(*, retention_s: float = 600.0, derived_kept_s: float = 0.001) -> Ground:
        store: Store
        leftovers: Leftovers
        if store_url is None:
            twin = MemoryStore(retention_s=retention_s, derived_kept_s=derived_kept_s)
            store, leftovers = twin, MemoryLeftovers(twin)
        else:
            space = namespace()
            store = RedisStore(
                store_url,
                num_shards=NUM_SHARDS,
                retention_s=retention_s,
                derived_kept_s=derived_kept_s,
                namespace=space,
            )
            leftovers = RedisLeftovers(store_url, num_shards=NUM_SHARDS, namespace=space)
        made.append(Ground(Forest(store), leftovers))
        return made[-1]

    yield make_one
    for ground in made:
        await ground.leftovers.close()
        await ground.forest.store.close()


async def test_what_a_deleted_tree_derived_is_left_behind(make: MakeGround) -> None:
    ground = make()
    tree, kept = await ground.tree("doc_1", "doc_2", tenant="a|b"), await ground.tree("doc_3")
    assert await ground.take() == []

    await ground.forest.store.delete(tree, "a|b")
    [leftover] = await eventually(ground.take)

    assert (leftover.tree_id, leftover.tenant) == (tree, "a|b")
    assert set(leftover.documents) == {"doc_1", "doc_2"}
    assert (await ground.forest.store.get_tree(kept)).status == "failed"
    assert await ground.take() == []


async def test_what_a_tree_derived_expires_with_it(make: MakeGround) -> None:
    ground = make(retention_s=0.001)
    tree = await ground.tree("doc_1", "doc_1")

    [leftover] = await eventually(ground.take)

    assert (leftover.tree_id, leftover.documents) == (tree, ("doc_1",))


async def test_a_tree_that_derived_nothing_leaves_nothing(make: MakeGround) -> None:
    ground = make()
    first, second = await ground.tree(), await ground.tree("doc_1")
    await ground.forest.store.delete(first, "acme")
    await ground.forest.store.delete(second, "acme")

    assert [leftover.tree_id for leftover in await eventually(ground.take)] == [second]


async def test_what_somebody_may_still_be_writing_is_not_due(make: MakeGround) -> None:
    ground = make(derived_kept_s=3_600.0)
    await ground.forest.store.delete(await ground.tree("doc_1"), "acme")

    assert await ground.take() == []


async def test_what_its_taker_has_not_removed_is_due_again_until_it_is(make: MakeGround) -> None:
    ground = make()
    await ground.forest.store.delete(await ground.tree("doc_1"), "acme")
    first = await eventually(lambda: ground.take(lease_s=0.001))
    assert await eventually(lambda: ground.take(lease_s=0.001)) == first

    for _ in range(2):
        await ground.leftovers.done(first[0])

    await ground.forest.store.delete(await ground.tree("doc_2"), "acme")
    assert [one.documents for one in await eventually(ground.take)] == [("doc_2",)]


async def test_a_resumed_tree_keeps_what_it_derived(make: MakeGround) -> None:
    ground = make()
    store, tree = ground.forest.store, await ground.tree("doc_1")
    await store.resume(tree, extra=Budget(tokens=9, nodes=0), deadline_s=60.0)
    lease = await ground.forest.lease(tree)
    await store.derive(lease, "doc_2")
    assert await ground.take() == []
    await ground.forest.finish(lease)

    await store.delete(tree, "acme")
    [leftover] = await eventually(ground.take)
    assert set(leftover.documents) == {"doc_1", "doc_2"}


async def test_nobody_derives_under_a_lease_that_is_lost(make: MakeGround) -> None:
    ground = make()
    tree = await ground.forest.plant()
    lease = await ground.forest.lease(tree)
    await ground.forest.store.cancel(tree)
    with pytest.raises(StaleLease):
        await ground.forest.store.derive(lease, "doc_1")
    await ground.forest.store.delete(tree, "acme")
    with pytest.raises(StaleLease):
        await ground.forest.store.derive(lease, "doc_1")

    assert await ground.take() == []


async def test_a_tree_that_has_the_id_of_a_deleted_one_keeps_its_own(make: MakeGround) -> None:
    ground = make()
    store, tree = ground.forest.store, await ground.tree("doc_1")
    await store.delete(tree, "acme")
    await store.admit(admission(tree))
    await store.derive(await ground.forest.lease(tree), "doc_2")

    assert [one.documents for one in await eventually(ground.take)] == [("doc_1",)]
    assert (await store.get_tree(tree)).status == "running"


async def test_more_than_fits_into_one_take_comes_in_the_next(make: MakeGround) -> None:
    ground = make()
    documents = {f"doc_{number}" for number in range(1_500)}
    await ground.forest.store.delete(await ground.tree(*documents), "acme")
    removed: set[str] = set()
    while removed != documents:
        for leftover in await eventually(ground.take):
            removed |= set(leftover.documents)
            await ground.leftovers.done(leftover)

    assert await ground.take() == []
