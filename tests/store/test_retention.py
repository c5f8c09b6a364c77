"""What is left of trees when they have been kept for as long as was promised: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis import Redis

from banyan.adapters.redis_ledger import RedisLedger
from banyan.adapters.redis_leftovers import RedisLeftovers
from banyan.adapters.redis_store import RedisStore
from banyan.budget import Budget
from banyan.local.valkey import Valkey
from bench.aging import age, kinds
from tests.fixtures.namespaces import namespace
from tests.store.trees import FAILED, NUM_SHARDS, OK, Forest, log

RETENTION_S = 86_400.0
DEADLINE_S = 600.0
RESERVED_S = 60.0


@pytest.fixture
def space() -> str:
    return namespace()


@pytest.fixture
async def forest(valkey: Valkey, space: str) -> AsyncIterator[Forest]:
    store = RedisStore(
        valkey.url, num_shards=NUM_SHARDS, retention_s=RETENTION_S, namespace=space, queued_s=60.0
    )
    yield Forest(store)
    await store.close()


async def grown(forest: Forest) -> str:
    """A tree whose root waits for two of its three children; with turns and a shared state."""
    tree = await forest.plant(deadline_s=DEADLINE_S)
    root = await forest.lease(tree)
    await forest.store.derive(root, "doc_1")
    await forest.spawn(root, 3, turn=log(3), shared=("prefix", b"what they share"))
    await forest.finish(await forest.lease(tree, "0.1"), FAILED, turn=log(2))
    return tree


async def end(forest: Forest, tree: str) -> None:
    for path in ("0.0", "0.1", "0.2", "0"):
        for node in await forest.claim_all(tree, [path]):
            await forest.finish(node.lease, OK if path != "0.1" else FAILED, turn=log(1))


async def test_nothing_of_a_tree_outlives_its_retention(
    forest: Forest, valkey: Valkey, space: str
) -> None:
    """However it ended: completed, cancelled, resumed, deleted, lost with its worker."""
    completed, cancelled, resumed, deleted = [await grown(forest) for _ in range(4)]
    await end(forest, completed)
    await forest.store.cancel(cancelled)
    await forest.store.cancel(resumed)
    await forest.store.resume(resumed, extra=Budget(tokens=9, nodes=0), deadline_s=DEADLINE_S)
    await end(forest, resumed)
    await forest.store.cancel(deleted)
    await forest.store.delete(deleted, "acme")
    match = f"{{{space}*"
    with Redis.from_url(valkey.url) as redis:
        kept = kinds(redis, match)
        age(redis, RETENTION_S + 2 * DEADLINE_S, match)
        await forest.store.reap()
        age(redis, 2 * 86_400.0, match)
        leftovers = RedisLeftovers(valkey.url, num_shards=NUM_SHARDS, namespace=space)
        derived_by = await leftovers.take(lease_s=60.0, limit=10)
        for leftover in derived_by:
            await leftovers.done(leftover)
        await leftovers.close()
        left = kinds(redis, match)

    assert kept["tree:node"] == 3 * 4
    assert kept["tree:turns"] > 0
    assert kept["tree:shared"] == 3
    assert kept["derived"] == 4
    assert {one.tree_id for one in derived_by} == {completed, cancelled, resumed, deleted}
    # A tenant's account: how much it has under way, and whose turn it is.
    assert set(left) <= {"tenant"}


async def test_a_tenant_that_never_comes_back_leaves_nothing_in_the_ledger(
    valkey: Valkey, space: str
) -> None:
    ledger = RedisLedger(valkey.url, namespace=space)
    for tree, ttl_s in (("first", 9_000.0), ("second", 100.0)):
        await ledger.reserve("acme", tree, nodes=5, max_trees=9, max_nodes=None, ttl_s=RESERVED_S)
        await ledger.keep("acme", tree, ttl_s=ttl_s)
    await ledger.reserve("acme", "lost", nodes=5, max_trees=9, max_nodes=None, ttl_s=RESERVED_S)
    await ledger.close()
    match = f"{{{space}*"
    with Redis.from_url(valkey.url) as redis:
        age(redis, 8_000.0, match)
        while_one_may_run = kinds(redis, match)
        age(redis, 2_000.0, match)
        left = kinds(redis, match)

    assert set(while_one_may_run) == {"trees", "nodes", "kept"}
    assert not left


async def test_a_tree_that_runs_is_kept_however_old_it_is(
    forest: Forest, valkey: Valkey, space: str
) -> None:
    tree = await grown(forest)
    match = f"{{{space}*"
    with Redis.from_url(valkey.url) as redis:
        age(redis, DEADLINE_S / 2, match)
    await forest.store.reap()
    await end(forest, tree)

    assert (await forest.store.get_tree(tree)).status == "completed"
