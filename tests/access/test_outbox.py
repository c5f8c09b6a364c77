"""Ends that somebody must be told of: the twin and a server pass the same tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from banyan.adapters.memory_outbox import MemoryOutbox
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.redis_outbox import RedisOutbox
from banyan.adapters.redis_store import RedisStore
from banyan.budget import Budget
from banyan.ports import Notice, Outbox, Store
from banyan.tree import tree_id
from tests.fixtures.namespaces import namespace
from tests.fixtures.waiting import eventually
from tests.store.trees import FAILED, NUM_SHARDS, admission


@dataclass
class Post:
    """A store and its outbox."""

    store: Store
    outbox: Outbox

    async def plant(self, *, notifies: bool = True, key: str = "k") -> str:
        new_id = tree_id("acme", key, NUM_SHARDS)
        made = admission(
            new_id,
            tenant="acme",
            budget=Budget(tokens=100, nodes=10),
            max_parallel=4,
            deadline_s=60.0,
        )
        await self.store.admit(replace(made, notifies=notifies))
        return new_id

    async def end(self, tree: str) -> None:
        claims = await self.store.claim(tree, ["0"], worker="w", lease_s=60.0, reserves={})
        [claimed] = claims.nodes
        await self.store.finish(claimed.lease, FAILED, log=None)

    async def take(self, lease_s: float = 60.0) -> list[Notice]:
        return await self.outbox.take(lease_s=lease_s, limit=10)


@pytest.fixture
async def post(store_url: str | None) -> AsyncIterator[Post]:
    if store_url is None:
        store = MemoryStore()
        made = Post(store, MemoryOutbox(store))
    else:
        space = namespace()
        made = Post(
            RedisStore(store_url, num_shards=NUM_SHARDS, namespace=space),
            RedisOutbox(store_url, num_shards=NUM_SHARDS, namespace=space),
        )
    yield made
    await made.outbox.close()
    await made.store.close()


async def test_a_tree_that_has_ended_is_in_the_outbox_and_hidden_once_taken(post: Post) -> None:
    tree = await post.plant()
    assert await post.take() == []
    await post.end(tree)

    assert await post.take() == [Notice(tree, 1, 1)]
    assert await post.take() == []


async def test_a_cancelled_tree_has_ended_too(post: Post) -> None:
    tree = await post.plant()
    await post.store.cancel(tree)

    assert await post.take() == [Notice(tree, 1, 1)]


async def test_a_tree_that_nobody_wants_to_hear_of_is_not(post: Post) -> None:
    await post.end(await post.plant(notifies=False))

    assert await post.take() == []


async def test_what_its_taker_has_not_settled_is_due_again(post: Post) -> None:
    tree = await post.plant()
    await post.end(tree)
    await post.take(lease_s=0.01)

    assert await eventually(post.take) == [Notice(tree, 1, 2)]


async def test_what_is_done_is_forgotten_and_what_is_put_back_comes_again(post: Post) -> None:
    for key in ("a", "b"):
        await post.end(await post.plant(key=key))
    first, second = await post.take()
    await post.outbox.done(first)
    await post.outbox.done(first)
    await post.outbox.again(first, 0.0)
    await post.outbox.again(second, 0.0)

    [again] = await eventually(post.take)
    assert again == replace(second, num_attempts=2)


async def test_a_tree_that_was_opened_again_ends_again(post: Post) -> None:
    tree = await post.plant()
    await post.end(tree)
    await post.store.resume(tree, extra=Budget(tokens=10, nodes=0), deadline_s=60.0)
    await post.end(tree)

    assert {notice.generation for notice in await post.take()} == {1, 2}
