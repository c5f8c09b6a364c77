"""Lists of trees: newest first, of one tenant, by status, page by page."""

from __future__ import annotations

from banyan.adapters.redis_store import RedisStore
from banyan.budget import Budget
from banyan.local.valkey import Valkey
from banyan.tree import TreeStatus, tree_id
from tests.fixtures.namespaces import namespace
from tests.fixtures.waiting import eventually
from tests.store.conftest import MakeForest
from tests.store.trees import FAILED, NUM_SHARDS, PARTIAL, Forest, admission, log


async def listed(
    forest: Forest, *, status: TreeStatus | None = None, tenant: str = "acme", limit: int = 100
) -> list[str]:
    """The ids of all trees, read in pages of `limit`."""
    ids: list[str] = []
    after = None
    while True:
        page = await forest.store.list_trees(tenant, status=status, after=after, limit=limit)
        assert len(page.trees) <= limit
        ids += [tree.id for tree in page.trees]
        after = page.next
        if after is None:
            return ids


async def planted_in_every_shard(forest: Forest, count: int) -> list[str]:
    """Trees in the order of admission."""
    trees = [tree_id("acme", f"listed {number}", NUM_SHARDS) for number in range(count)]
    for tree in trees:
        await forest.store.admit(admission(tree))
    assert {tree[-2:] for tree in trees} == {"00", "01"}
    return trees


async def in_order(forest: Forest, trees: list[str]) -> list[str]:
    """Newest first; those of one millisecond by their id."""
    records = [await forest.store.get_tree(tree) for tree in trees]
    records.sort(key=lambda record: (round(record.created_at * 1000), record.id), reverse=True)
    return [record.id for record in records]


async def test_trees_of_all_shards_come_newest_first_in_pages(forest: Forest) -> None:
    trees = await planted_in_every_shard(forest, 11)
    expected = await in_order(forest, trees)
    for limit in (1, 3, 11, 100):
        assert await listed(forest, limit=limit) == expected


async def test_a_full_last_page_has_no_next(forest: Forest) -> None:
    await planted_in_every_shard(forest, 4)
    page = await forest.store.list_trees("acme", status=None, after=None, limit=4)
    assert (len(page.trees), page.next) == (4, None)


async def test_trees_that_come_meanwhile_shift_nothing(forest: Forest) -> None:
    trees = await planted_in_every_shard(forest, 6)
    expected = await in_order(forest, trees)
    first = await forest.store.list_trees("acme", status=None, after=None, limit=3)
    newest = first.trees[0].created_at

    async def is_later() -> bool:  # trees of one millisecond stand in the order of their ids
        other = await forest.plant(tenant="other")
        return (await forest.store.get_tree(other)).created_at > newest + 0.001

    await eventually(is_later)
    await forest.plant()
    second = await forest.store.list_trees("acme", status=None, after=first.next, limit=3)
    assert [tree.id for tree in (*first.trees, *second.trees)] == expected


async def test_a_tenant_sees_its_own_trees_alone(forest: Forest) -> None:
    mine = await forest.plant()
    theirs = await forest.plant(tenant="acme:2")
    assert await listed(forest) == [mine]
    assert await listed(forest, tenant="acme:2") == [theirs]
    assert await listed(forest, tenant="nobody") == []


async def test_a_tree_is_listed_by_the_status_it_has_now(forest: Forest) -> None:
    statuses: list[TreeStatus] = [
        "queued",
        "running",
        "completed",
        "partial",
        "failed",
        "cancelled",
    ]

    async def where(tree: str) -> list[TreeStatus]:
        return [status for status in statuses if tree in await listed(forest, status=status)]

    tree = await forest.plant()
    assert await where(tree) == ["queued"]
    lease = await forest.lease(tree)
    assert await where(tree) == ["running"]
    await forest.finish(lease, FAILED)
    assert await where(tree) == ["failed"]
    await forest.store.resume(tree, extra=Budget(tokens=0, nodes=0), deadline_s=60.0)
    assert await where(tree) == ["queued"]
    await forest.run(tree, "0", PARTIAL)
    assert await where(tree) == ["partial"]
    await forest.store.resume(tree, extra=Budget(tokens=0, nodes=0), deadline_s=60.0)
    await forest.store.cancel(tree)
    assert await where(tree) == ["cancelled"]
    await forest.store.resume(tree, extra=Budget(tokens=0, nodes=0), deadline_s=60.0)
    await forest.run(tree)
    assert await where(tree) == ["completed"]
    assert await listed(forest) == [tree]


async def test_a_listed_tree_tells_what_it_spent_but_not_its_answer(forest: Forest) -> None:
    tree = await forest.plant()
    await forest.finish(await forest.lease(tree), turn=log(30))
    [record] = (await forest.store.list_trees("acme", status=None, after=None, limit=9)).trees
    assert record == (await forest.store.get_tree(tree)).model_copy(update={"outcome": None})
    assert record.usage.llm_calls == 1


async def test_expired_trees_are_not_listed(make: MakeForest) -> None:
    forest = make(retention_s=0.001)
    tree = await forest.plant(deadline_s=0.001)
    kept = await forest.plant(deadline_s=600.0)
    await forest.run(tree)

    async def gone() -> bool:
        return await listed(forest) == [kept]

    await eventually(gone)


async def test_the_reaper_takes_expired_trees_off_the_lists(valkey: Valkey) -> None:
    space = namespace()
    store = RedisStore(valkey.url, num_shards=1, retention_s=0.001, namespace=space)
    forest = Forest(store)
    tree = await forest.plant(deadline_s=0.001)
    await forest.run(tree)
    client = await store._connection.client()

    async def no_key_is_left() -> bool:
        await store.reap()
        return [key async for key in client.scan_iter(f"*{space}s0*solves*")] == []

    await eventually(no_key_is_left)
    assert await client.exists(f"{{{space}s0}}:expiring") == 0
    await store.close()


async def test_a_resumed_tree_stays_listed(make: MakeForest) -> None:
    forest = make(retention_s=600.0)
    tree = await forest.plant()
    await forest.run(tree, "0", FAILED)
    await forest.store.resume(tree, extra=Budget(tokens=0, nodes=0), deadline_s=60.0)
    await forest.store.reap()
    assert await listed(forest) == [tree]
