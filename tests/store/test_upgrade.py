"""Old and new releases on one store, and a store that comes back from a backup."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from banyan.adapters.redis_store import RedisStore
from banyan.adapters.stores import make_store
from banyan.local.ports import free_port
from banyan.local.valkey import Valkey, answers, arguments, find_binary
from banyan.settings import Settings
from bench.stack import wait_until
from tests.fixtures.namespaces import namespace
from tests.fixtures.waiting import eventually
from tests.store.trees import NUM_SHARDS, Forest

START_S = 30.0


async def test_a_node_that_an_older_release_claimed_does_not_stay_due(valkey: Valkey) -> None:
    """An older worker's scripts do not know the set of due nodes, and leave them in it."""
    name = namespace()
    store = RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=name, queued_s=60.0)
    forest = Forest(store)
    tree = await forest.plant()
    ready = f"{store._keys.tag(0)}:ready"
    with Redis.from_url(valkey.url) as client:
        [(entry, since)] = client.zrange(ready, 0, 0, withscores=True)
        await forest.lease(tree)
        client.zadd(ready, {entry: since})  # as if nobody had taken it out
        assert (await store.survey()).due_nodes == 1
        await store.reap()
        assert (await store.survey()).due_nodes == 0
    await store.close()


async def test_a_node_that_an_older_release_dispatched_becomes_due(valkey: Valkey) -> None:
    name = namespace()
    store = RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=name, queued_s=0.01)
    forest = Forest(store)
    tree = await forest.plant()
    with Redis.from_url(valkey.url) as client:
        client.delete(f"{store._keys.tag(0)}:ready")

        async def is_due() -> bool:
            await store.reap()
            return (await store.survey()).due_nodes == 1

        await eventually(is_due)
        # Nor does it know under which epoch a parent was put away.
        await forest.spawn(await forest.lease(tree), 1)
        client.hdel(store._keys.node(tree, "0"), "suspended_epoch")
    assert (await forest.claim(tree, "0.0")).parent_epoch is None
    await store.close()


async def test_a_snapshot_of_the_store_brings_its_trees_back_and_they_go_on(tmp_path: Path) -> None:
    with Valkey(tmp_path / "old") as old:
        store = RedisStore(old.url, num_shards=NUM_SHARDS)
        forest = Forest(store)
        done, under_way = await forest.plant(), await forest.plant()
        await forest.run(done)
        await forest.spawn(await forest.lease(under_way), 2)
        with Redis.from_url(old.url) as client:
            client.bgsave()
            wait_until(lambda: not client.info("persistence")["rdb_bgsave_in_progress"], START_S)
        await store.close()
        restored = tmp_path / "new"
        restored.mkdir()
        shutil.copy(tmp_path / "old" / "dump.rdb", restored)

    # A server with an append-only file and none there does not look at the snapshot.
    unwise = tmp_path / "unwise"
    shutil.copytree(restored, unwise)
    with Valkey(unwise) as server, Redis.from_url(server.url) as client:
        assert client.dbsize() == 0

    with running(restored, appendonly="no") as url, Redis.from_url(url) as client:
        client.config_set("appendonly", "yes")
        wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], START_S)
        assert client.dbsize() > 0
    with running(restored, appendonly="yes") as url:
        again = make_store(Settings(redis_url=url, num_shards=NUM_SHARDS))
        assert (await again.get_tree(done)).status == "completed"
        back = Forest(again)
        for path in ("0.0", "0.1", "0"):
            await back.run(under_way, path)
        assert (await again.get_tree(under_way)).status == "completed"
        await again.close()


@contextmanager
def running(folder: Path, *, appendonly: str) -> Iterator[str]:
    """A server on `folder`; its address."""
    port = free_port()
    argv = arguments(find_binary(), port=port, folder=folder)
    argv[argv.index("--appendonly") + 1] = appendonly
    url = f"redis://127.0.0.1:{port}/0"
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            wait_until(lambda: answers(url), START_S)
            yield url
        finally:
            process.terminate()
