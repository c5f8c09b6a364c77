"""What happens to the store when its server goes away, comes back, or never was there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis import Redis

from banyan.adapters.redis_scripts import Name, script
from banyan.adapters.redis_store import RedisStore
from banyan.errors import Conflict, StaleLease, StoreFull, StoreUnavailable
from banyan.local.ports import free_port
from banyan.local.valkey import Valkey, answers
from banyan.tree import Event
from tests.fixtures.namespaces import namespace
from tests.fixtures.waiting import eventually
from tests.full_disk import full_disk
from tests.store.trees import NUM_SHARDS, OK, Forest, admission, paths


async def test_calls_and_readers_outlive_a_crash_of_the_server(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server:
        store = RedisStore(server.url, num_shards=NUM_SHARDS)
        forest = Forest(store)
        tree = await forest.plant()
        await forest.spawn(await forest.lease(tree), 2)
        seen: list[Event] = []

        async def follow() -> None:
            async for event in store.events(tree):
                seen.append(event)  # noqa: PERF401 - the test looks at the list while it grows

        async def caught_up() -> bool:
            return len(seen) == 3

        reader = asyncio.create_task(follow())
        await eventually(caught_up)
        # The append-only file is synced every second; a process that is killed loses nothing.
        await asyncio.to_thread(server.kill)
        claiming = asyncio.create_task(forest.claim_all(tree, ["0.0", "0.1"]))
        await asyncio.to_thread(server.start)
        for claimed in await claiming:
            await forest.finish(claimed.lease)
        await forest.run(tree)
        await reader
        assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
        assert seen[-1].type == "tree.finished"
        await store.close()


async def test_a_server_that_forgot_the_scripts_gets_them_again(valkey: Valkey) -> None:
    store = RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=namespace())
    forest = Forest(store)
    tree = await forest.plant()
    client = await store._connection.client()
    await client.script_flush()
    assert len(await forest.claim_all(tree, ["0"])) == 1
    await store.close()


async def test_many_calls_at_once_share_a_few_connections(valkey: Valkey) -> None:
    store = RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=namespace(), max_connections=3)
    forest = Forest(store)
    tree = await forest.plant()
    client = await store._connection.client()
    before = (await client.info("stats"))["total_connections_received"]
    records = await asyncio.gather(*(store.get_tree(tree) for _ in range(300)))
    after = (await client.info("stats"))["total_connections_received"]
    assert {record.status for record in records} == {"queued"}
    assert after - before < 3
    await store.close()


async def test_a_cluster_may_be_named_in_the_url(valkey_cluster: Valkey) -> None:
    url = valkey_cluster.url.replace("redis://", "redis+cluster://")
    store = RedisStore(url, num_shards=NUM_SHARDS, namespace=namespace())
    forest = Forest(store)
    tree = await forest.plant()
    await forest.run(tree)
    assert answers(url)
    assert (await store.get_tree(tree)).status == "completed"
    await store.close()


async def test_a_server_that_is_not_there_is_reported() -> None:
    store = RedisStore(f"redis://127.0.0.1:{free_port()}/0", retry_s=0.1)
    with pytest.raises(StoreUnavailable):
        await store.ping()
    with pytest.raises(StoreUnavailable):
        await store.reap()
    await store.close()


async def test_full_memory_stops_admissions_and_lets_trees_finish(tmp_path: Path) -> None:
    with Valkey(tmp_path) as server:
        store = RedisStore(server.url, num_shards=NUM_SHARDS)
        forest = Forest(store)
        tree = await forest.plant()
        await forest.spawn(await forest.lease(tree), 2)
        client = await store._connection.client()
        await client.execute_command("CONFIG SET", "maxmemory", 1)
        with pytest.raises(StoreUnavailable):
            await forest.plant()
        await forest.run(tree, "0.0")
        assert paths(await forest.run(tree, "0.1")) == ["0"]
        await forest.run(tree)
        assert (await store.get_tree(tree)).status == "completed"
        await store.close()


async def test_a_full_disk_is_told_to_who_admits_and_waited_for_by_who_works(
    tmp_path: Path,
) -> None:
    with Valkey(tmp_path) as server:
        store = RedisStore(server.url, num_shards=NUM_SHARDS)
        patient = RedisStore(server.url, num_shards=NUM_SHARDS, waits_for_room=True)
        forest = Forest(store)
        tree = await forest.plant()
        lease = await forest.lease(tree)

        async def is_full() -> bool:
            try:
                await forest.plant()
            except StoreFull:
                return True
            return False

        assert server.pid is not None
        with full_disk(64, server.pid):
            await eventually(is_full)
            finishing = asyncio.create_task(patient.finish(lease, OK, log=None))
            with pytest.raises(StoreFull):
                await store.finish(lease, OK, log=None)
            assert not finishing.done()
        await finishing
        assert (await store.get_tree(tree)).status == "completed"
        await store.close()
        await patient.close()


async def test_the_stores_clock_is_the_servers(valkey: Valkey) -> None:
    store = RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=namespace())
    with Redis.from_url(valkey.url) as client:
        before, now, after = client.time(), await store.now(), client.time()
    assert before[0] <= now <= after[0] + 1
    await store.close()


async def test_a_cancel_that_was_cut_off_is_completed_by_the_reaper(valkey: Valkey) -> None:
    store = RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=namespace())
    forest = Forest(store)
    tree = await forest.plant(tokens=50_000, nodes=5_000)
    hints = await forest.spawn(await forest.lease(tree), 2_500)
    running = await forest.lease(tree, "0.0")
    # The first of three batches; then whoever cancelled is gone.
    [_, _, num_left] = await store._run_on_tree("cancel", tree)
    assert num_left == 1_501
    assert await forest.claim_all(tree, paths(hints)) == []
    with pytest.raises(StaleLease):
        await forest.finish(running)

    async def ended() -> bool:
        assert await store.reap() == []
        return (await store.get_tree(tree)).status == "cancelled"

    await eventually(ended)
    await forest.assert_conserved(tree)
    await store.close()


async def test_installations_on_one_server_do_not_meet(valkey: Valkey) -> None:
    one, other = (
        Forest(RedisStore(valkey.url, num_shards=NUM_SHARDS, namespace=namespace()))
        for _ in range(2)
    )
    tree = await one.plant()
    admitted = await other.store.admit(admission(tree, fingerprint="of the other"))
    assert admitted.created
    with pytest.raises(Conflict):
        await one.store.admit(admission(tree, fingerprint="of the other"))
    await one.store.close()
    await other.store.close()


async def test_a_tree_of_a_shard_that_is_not_installed_is_refused(valkey: Valkey) -> None:
    store = RedisStore(valkey.url, num_shards=1, namespace=namespace())
    with pytest.raises(ValueError, match="shards"):
        await store.admit(admission(f"solve_{'0' * 26}01"))
    await store.close()


@pytest.mark.parametrize("name", ["admit", "claim", "turn", "spawn", "finish", "cancel", "reap"])
def test_a_scripts_flags_stay_on_its_first_line(name: Name) -> None:
    lines = script(name).source.splitlines()
    assert lines[0].startswith("#!lua")
    assert ("allow-oom" in lines[0]) == (name != "admit")
    assert "cmsgpack.unpack" in script(name).source
