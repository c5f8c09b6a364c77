"""The trajectory queue: the in-memory twin, a server and a cluster pass the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.memory_trajectories import MemoryTrajectoryQueue
from banyan.adapters.redis_store import RedisStore
from banyan.adapters.redis_trajectories import RedisTrajectoryQueue
from banyan.budget import Budget
from banyan.errors import NotFound
from banyan.node import Outcome
from banyan.ports import FinishedTree, StoredNode, TrajectoryQueue
from banyan.state import unpack
from tests.fixtures.namespaces import namespace
from tests.fixtures.waiting import eventually
from tests.store.trees import FAILED, NUM_SHARDS, OK, Forest, log

RETENTION_S = 600.0


@dataclass
class Logged:
    """A store that queues what finishes, and the queue."""

    forest: Forest
    queue: TrajectoryQueue

    async def take(self, *, lease_s: float = 60.0) -> list[FinishedTree]:
        return list((await self.queue.take(lease_s=lease_s, limit=100)).trees)


def make_logged(url: str | None, retention_s: float) -> Logged:
    if url is None:
        memory = MemoryStore(retention_s=retention_s, logs=True)
        return Logged(Forest(memory), MemoryTrajectoryQueue(memory))
    space = namespace()
    store = RedisStore(
        url, num_shards=NUM_SHARDS, retention_s=retention_s, namespace=space, logs=True
    )
    return Logged(Forest(store), RedisTrajectoryQueue(url, num_shards=NUM_SHARDS, namespace=space))


@pytest.fixture
async def logged(store_url: str | None) -> AsyncIterator[Logged]:
    made = make_logged(store_url, RETENTION_S)
    yield made
    await made.queue.close()
    await made.forest.store.close()


@pytest.fixture
async def forgetful(store_url: str | None) -> AsyncIterator[Logged]:
    """Keeps finished trees for 50 ms."""
    made = make_logged(store_url, 0.05)
    yield made
    await made.queue.close()
    await made.forest.store.close()


async def test_a_tree_is_queued_once_its_root_has_finished(logged: Logged) -> None:
    tree = await logged.forest.plant()
    await logged.forest.spawn(await logged.forest.lease(tree), 2)
    await logged.forest.run(tree, "0.0")
    assert await logged.take() == []
    await logged.forest.run(tree, "0.1")
    await logged.forest.run(tree, "0")
    assert await logged.take() == [FinishedTree(tree, 1)]


async def test_a_finish_that_is_repeated_queues_nothing_more(logged: Logged) -> None:
    tree = await logged.forest.plant()
    lease = await logged.forest.lease(tree)
    await logged.forest.finish(lease)
    [taken] = await logged.take()
    await logged.queue.acknowledge(taken)
    await logged.forest.finish(lease)
    assert await logged.take() == []


async def test_a_cancelled_tree_is_queued_as_well(logged: Logged) -> None:
    tree = await logged.forest.plant()
    await logged.forest.store.cancel(tree)
    assert await logged.take() == [FinishedTree(tree, 1)]


async def test_what_is_taken_comes_back_after_its_lease_unless_it_is_acknowledged(
    logged: Logged,
) -> None:
    done, left = await logged.forest.plant(), await logged.forest.plant()
    await logged.forest.run(done)
    await logged.forest.run(left)
    assert len(await logged.take(lease_s=0.02)) == 2
    await logged.queue.acknowledge(FinishedTree(done, 1))
    await logged.queue.acknowledge(FinishedTree(done, 1))
    assert await eventually(logged.take) == [FinishedTree(left, 1)]
    assert await logged.take() == []


async def test_generations_of_one_tree_are_acknowledged_apart(logged: Logged) -> None:
    tree = await logged.forest.plant()
    await logged.forest.run(tree, outcome=FAILED)
    [first] = await logged.take()
    await logged.forest.store.resume(tree, extra=Budget(tokens=10, nodes=0), deadline_s=60.0)
    await logged.forest.run(tree)
    await logged.queue.acknowledge(first)
    assert await logged.take() == [FinishedTree(tree, 2)]


async def test_nodes_are_read_in_pages_with_all_that_was_stored(logged: Logged) -> None:
    tree = await logged.forest.plant()
    lease = await logged.forest.lease(tree)
    await logged.forest.store.turn(lease, log(3, b"first"), b"after first")
    await logged.forest.spawn(lease, 4, turn=log(3, b"second"))
    for index in range(4):
        await logged.forest.run(tree, f"0.{index}")
    await logged.forest.run(tree)
    pages: list[StoredNode] = []
    while page := await logged.queue.nodes(tree, offset=len(pages), limit=2):
        assert len(page) <= 2
        pages += page
    assert [node.path for node in pages] == ["0", "0.0", "0.1", "0.2", "0.3"]
    root, child, *_ = pages
    assert (root.packed, root.turns) == (b"suspended", (b"first", b"second"))
    assert unpack(root.outcome or b"", Outcome) == OK
    assert child.turns == ()
    assert child.claimed_at is not None
    assert child.finished_at is not None
    assert child.queued_at <= child.claimed_at <= child.finished_at
    record = await logged.queue.tree(tree)
    assert record == await logged.forest.store.get_tree(tree)


async def test_what_siblings_share_is_read_from_the_queue(logged: Logged) -> None:
    tree = await logged.forest.plant()
    await logged.forest.spawn(await logged.forest.lease(tree), 2, shared=("0.0", b"a prefix"))
    assert await logged.queue.shared(tree, "0.0") == b"a prefix"
    with pytest.raises(NotFound):
        await logged.queue.shared(tree, "0.1")


async def test_the_queue_forgets_and_counts_what_nobody_took(forgetful: Logged) -> None:
    """It stays bounded where no writer runs: by the trees that the store keeps anyway."""
    first = await forgetful.forest.plant()
    await forgetful.forest.run(first)

    async def is_gone() -> bool:
        try:
            await forgetful.queue.tree(first)
        except NotFound:
            return True
        return False

    await eventually(is_gone)
    second = await forgetful.forest.plant()
    await forgetful.forest.run(second)
    taken = await forgetful.queue.take(lease_s=60.0, limit=100)
    assert ([tree.tree_id for tree in taken.trees], taken.num_lost) == ([second], 1)
    assert (await forgetful.queue.take(lease_s=60.0, limit=100)).num_lost == 0
