"""Calls whose reply was lost are repeated by the store itself, and have one effect."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from banyan.adapters.redis_store import RedisStore
from banyan.budget import Budget
from banyan.local.valkey import Valkey
from banyan.tree import tree_id
from tests.fixtures.namespaces import namespace
from tests.store.lossy import LossyProxy
from tests.store.trees import FAILED, NUM_SHARDS, OK, Forest, admission, log, paths


@pytest.fixture
async def proxy(valkey: Valkey) -> AsyncIterator[LossyProxy]:
    proxy = LossyProxy(valkey.port)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def forest(proxy: LossyProxy) -> AsyncIterator[Forest]:
    store = RedisStore(proxy.url, num_shards=NUM_SHARDS, namespace=namespace())
    await store.ping()
    yield Forest(store)
    await store.close()
    assert proxy.num_lost == 2, "the test is about a call whose reply was lost twice"


async def types(forest: Forest, tree: str) -> list[str]:
    return [event.type for event in await forest.history(tree)]


async def test_admission(forest: Forest, proxy: LossyProxy) -> None:
    tree = tree_id("acme", "lost admission", NUM_SHARDS)
    proxy.lose_replies(2)
    admitted = await forest.store.admit(admission(tree))
    assert admitted.created
    assert paths(admitted.hints) == ["0"]
    assert await types(forest, tree) == ["tree.admitted"]


async def test_claim(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    proxy.lose_replies(2)
    claimed = await forest.claim(tree)
    assert claimed.lease.epoch == 1
    assert await types(forest, tree) == ["tree.admitted", "node.claimed"]
    await forest.finish(claimed.lease)


async def test_turn(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    proxy.lose_replies(2)
    assert (await forest.store.turn(lease, log(30, b"once"), b"after")).tokens == 970
    assert (await forest.node(tree)).turns == (b"once",)
    assert (await forest.store.get_tree(tree)).usage.llm_calls == 1
    assert (await forest.store.turn(lease, log(30, b"once"), b"after")).tokens == 940


async def test_delta(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    proxy.lose_replies(2)
    await forest.store.delta(lease, {"text": "once"})
    assert (await types(forest, tree)).count("answer.delta") == 1


async def test_spawn(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    proxy.lose_replies(2)
    hints = await forest.spawn(lease, 3, turn=log(30))
    assert paths(hints) == ["0.0", "0.1", "0.2"]
    assert len(await forest.all_nodes(tree)) == 4
    await forest.assert_conserved(tree)


async def test_finish_of_a_last_child(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    await forest.spawn(await forest.lease(tree), 1, tokens=100)
    lease = await forest.lease(tree, "0.0")
    proxy.lose_replies(2)
    assert paths(await forest.finish(lease, turn=log(30))) == ["0"]
    assert (await types(forest, tree)).count("node.finished") == 1
    assert (await forest.claim(tree)).outcomes == (OK,)
    await forest.assert_conserved(tree)


async def test_release(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    lease = await forest.lease(tree)
    proxy.lose_replies(2)
    assert paths(await forest.store.release([lease])) == ["0"]
    assert (await types(forest, tree)).count("node.requeued") == 1


async def test_cancel(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    proxy.lose_replies(2)
    assert await forest.store.cancel(tree)
    assert not await forest.store.cancel(tree)
    assert (await types(forest, tree)).count("tree.cancelled") == 1


async def test_resume(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    await forest.run(tree, "0", FAILED)
    proxy.lose_replies(2)
    resumed, _ = await forest.store.resume(tree, extra=Budget(tokens=5, nodes=0), deadline_s=60.0)
    assert resumed
    assert (await forest.claim(tree)).budget.tokens == 1_005


async def test_reads(forest: Forest, proxy: LossyProxy) -> None:
    tree = await forest.plant()
    proxy.lose_replies(2, "HGETALL")
    assert (await forest.store.get_tree(tree)).status == "queued"
