"""Deleting: a finished tree is forgotten with all that belongs to it, and no other is touched."""

from __future__ import annotations

import pytest

from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.memory_trajectories import MemoryTrajectoryQueue
from banyan.adapters.redis_store import RedisStore
from banyan.adapters.redis_trajectories import RedisTrajectoryQueue
from banyan.budget import Budget
from banyan.errors import Conflict, NotFound
from banyan.local.valkey import Valkey
from banyan.ports import Store, TrajectoryQueue
from tests.fixtures.namespaces import namespace
from tests.store.trees import FAILED, NUM_SHARDS, Forest, admission, log, paths


async def grown(forest: Forest, num_children: int = 3) -> str:
    """A finished tree with children, turns and a shared state."""
    tree = await forest.plant(tokens=100_000, nodes=10_000)
    lease = await forest.lease(tree)
    await forest.spawn(lease, num_children, turn=log(3))
    await forest.run(tree, "0.0")
    await forest.store.cancel(tree)
    return tree


async def test_a_deleted_tree_is_gone(forest: Forest) -> None:
    tree = await grown(forest)
    assert await forest.store.delete(tree, "acme")
    for ask in (
        forest.store.get_tree(tree),
        forest.store.get_node(tree, "0.0"),
        forest.store.list_nodes(tree, offset=0, limit=1),
        forest.store.resume(tree, extra=Budget(tokens=0, nodes=0), deadline_s=1.0),
        forest.store.cancel(tree),
    ):
        with pytest.raises(NotFound):
            await ask
    page = await forest.store.list_trees("acme", status=None, after=None, limit=10)
    assert page.trees == ()


async def test_deleting_again_changes_nothing(forest: Forest) -> None:
    tree, other = await grown(forest), await grown(forest)
    assert await forest.store.delete(tree, "acme")
    assert not await forest.store.delete(tree, "acme")
    assert len(await forest.all_nodes(other)) == 4


async def test_a_running_tree_is_not_deleted(forest: Forest) -> None:
    tree = await forest.plant()
    before = await forest.store.get_tree(tree)
    with pytest.raises(Conflict):
        await forest.store.delete(tree, "acme")
    assert await forest.store.get_tree(tree) == before


async def test_a_tenant_cannot_delete_what_is_anothers(forest: Forest) -> None:
    tree = await grown(forest)
    assert not await forest.store.delete(tree, "other")
    assert (await forest.store.get_tree(tree)).status == "cancelled"


async def test_the_same_request_may_come_again_and_starts_anew(forest: Forest) -> None:
    tree = await grown(forest)
    await forest.store.delete(tree, "acme")
    admitted = await forest.store.admit(admission(tree, fingerprint="another"))
    assert admitted.created
    assert paths(admitted.hints) == ["0"]
    assert [event.type for event in await forest.history(tree)] == ["tree.admitted"]
    assert [node.path for node in await forest.all_nodes(tree)] == ["0"]


@pytest.mark.parametrize("kind", ["memory", "valkey"])
async def test_what_was_not_logged_yet_never_is(kind: str, request: pytest.FixtureRequest) -> None:
    store: Store
    queue: TrajectoryQueue
    if kind == "memory":
        store = MemoryStore(logs=True)
        queue = MemoryTrajectoryQueue(store)
    else:
        server: Valkey = request.getfixturevalue("valkey")
        space = namespace()
        store = RedisStore(server.url, num_shards=NUM_SHARDS, namespace=space, logs=True)
        queue = RedisTrajectoryQueue(server.url, num_shards=NUM_SHARDS, namespace=space)
    forest = Forest(store)
    deleted, kept = await forest.plant(), await forest.plant()
    await forest.run(deleted, "0", FAILED)
    await store.resume(deleted, extra=Budget(tokens=0, nodes=0), deadline_s=60.0)
    await forest.run(deleted)
    await forest.run(kept)
    await store.delete(deleted, "acme")
    taken = await queue.take(lease_s=60.0, limit=10)
    assert [tree.tree_id for tree in taken.trees] == [kept]
    await store.close()
    await queue.close()


async def test_nothing_of_a_large_tree_is_left_behind(valkey: Valkey) -> None:
    space = namespace()
    store = RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=space)
    tree = await grown(Forest(store), 2_500)
    client = await store._connection.client()
    assert await store.delete(tree, "acme")
    assert [key async for key in client.scan_iter(f"*{tree}*")] == []
    await store.close()


async def test_a_deletion_that_was_cut_off_shows_nothing_and_goes_on(valkey: Valkey) -> None:
    store = RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=namespace())
    tree = await grown(Forest(store), 2_500)
    [_, is_first, num_left] = await store._run_on_tree("delete", tree, tenant="acme")
    assert (is_first, num_left) == (1, 1_501)
    with pytest.raises(NotFound):
        await store.get_tree(tree)
    with pytest.raises(NotFound):
        await store.resume(tree, extra=Budget(tokens=0, nodes=0), deadline_s=1.0)
    assert (await store.admit(admission(tree))).created
    assert (await store.list_nodes(tree, offset=0, limit=10))[1] == 1
    await store.close()
