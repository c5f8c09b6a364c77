"""What a node costs in counts, which are the same on every machine: times are for `bench/`.

One runner drives whole trees on a Valkey of their own, and hints go straight to it, so that nothing
happens but what the trees need. A bound is what was seen and a tenth: so much may a new field take,
and a fifth more is a regression to look at. `python -m bench.store_cost` shows the whole stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil
from redis import Redis

from banyan.adapters import celery_queue
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_metrics import NoMetrics
from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.no_traces import NoTraces
from banyan.adapters.redis_store import RedisStore
from banyan.adapters.served_versions import ServedVersions
from banyan.admission import admission
from banyan.limits import Limits
from banyan.local.valkey import Valkey
from banyan.policy import ONLY_BASE
from banyan.ports import Ports
from banyan.serving import Serving
from banyan.task import Gate, Task
from banyan.testing import ScriptedEngine
from banyan.tree import tree_id
from bench.orchestration import Shape
from bench.store_cost import counters
from tests.fixtures.waiting import eventually
from tests.service.house import HintBox
from workers.leases import LeaseKeeper
from workers.runner import Runner

HOUR_S = 3_600.0
NUM_SLOTS = 1_024
"""More than there are nodes, so that a message's nodes are claimed at once."""

WIDE = Shape(fan_out=200, depth=1, latency_s=0.0)
DEEP = Shape(fan_out=4, depth=3, latency_s=0.0)


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one tree, divided by its nodes, but for the calls and the messages of all."""

    llm_calls: int
    messages: int
    round_trips: float
    commands: float
    """What the scripts call among them."""
    bytes_in: float
    bytes_out: float
    kept_bytes: float
    """Of all keys, when the tree has ended."""


class Grower:
    """A runner on a store, that is handed every message as soon as it is sent."""

    def __init__(self, store: RedisStore) -> None:
        self.store = store
        self.queue = HintBox()
        self.engine = ScriptedEngine(window=65_536, token_ids=False)
        self.runner = Runner(
            "w",
            Ports(store=store, library=MemoryLibrary(), engine=self.engine),
            Serving.only(self.engine),
            self.queue,
            LeaseKeeper(
                MemoryStore, lambda _: None, lease_s=HOUR_S, renew_s=HOUR_S, metrics=NoMetrics()
            ),
            versions=ServedVersions(MemoryPolicies(), ONLY_BASE.resolve),
            num_slots=NUM_SLOTS,
            metrics=NoMetrics(),
            traces=NoTraces(),
        )

    async def grow(self, key: str, shape: Shape) -> int:
        """One tree to its end; the number of messages that it took."""
        new_id = tree_id("acme", key, 1)
        limits = Limits(
            max_depth=shape.depth,
            max_nodes=shape.num_nodes,
            max_parallel=NUM_SLOTS,
            max_tokens=10_000_000_000,
        )
        task = Task(
            tenant="acme",
            goal=f"fan-out {shape.fan_out}",
            gate=Gate(mode="always"),
            limits=limits,
        )
        admitted = await self.store.admit(admission(task, new_id))
        await self.queue.send(admitted.hints)
        num_messages = 0

        async def has_ended() -> bool:
            nonlocal num_messages
            hints, self.queue.hints = self.queue.hints, []
            for _, tree, paths in celery_queue._messages(hints):
                num_messages += 1
                await self.runner.look(tree, paths)
            return self.runner.num_busy == 0 and not self.queue.hints

        await eventually(has_ended)
        assert (await self.store.get_tree(new_id)).status == "completed"
        return num_messages


async def counts(folder: Path, shape: Shape) -> Counts:
    """Of one tree, after a small one that loads the scripts and opens the connections."""
    with Valkey(folder) as server, Redis.from_url(server.url) as client:
        store = RedisStore(server.url, num_shards=1, tenant_dispatch=NUM_SLOTS)
        grower, process = Grower(store), psutil.Process(server.pid)
        await grower.grow("warm up", Shape(fan_out=2, depth=1, latency_s=0.0))
        num_calls, kept, before = len(grower.engine.calls), _kept(client), counters(client, process)
        num_messages = await grower.grow("counted", shape)
        spent = counters(client, process).minus(before)
        await store.close()
        return Counts(
            llm_calls=len(grower.engine.calls) - num_calls,
            messages=num_messages,
            round_trips=spent.scripts / shape.num_nodes,
            commands=spent.commands / shape.num_nodes,
            bytes_in=spent.bytes_in / shape.num_nodes,
            bytes_out=spent.bytes_out / shape.num_nodes,
            kept_bytes=(_kept(client) - kept) / shape.num_nodes,
        )


def _kept(client: Redis) -> int:
    """Serialised, since what memory it takes is the allocator's affair."""
    return sum(len(client.dump(key) or b"") for key in client.scan_iter())


async def test_a_child_of_many_costs_one_round_trip_and_a_share_of_its_batch(
    tmp_path: Path,
) -> None:
    """FINISH is its own; CLAIM is for the 64 of its message."""
    seen = await counts(tmp_path, WIDE)

    assert seen.llm_calls == WIDE.num_calls
    assert seen.messages <= 6  # the root, its children by 64, and the root again
    assert seen.round_trips <= 1.16  # seen: 1.05
    assert seen.commands <= 78  # seen: 71.1
    assert seen.bytes_in <= 2_060  # seen: 1,871
    assert seen.bytes_out <= 562  # seen: 511
    assert seen.kept_bytes <= 1_385  # seen: 1,257 to 1,259


async def test_a_node_of_a_deep_tree_shares_less(tmp_path: Path) -> None:
    """Children that come four at a time, and parents that are woken one by one."""
    seen = await counts(tmp_path, DEEP)

    assert seen.llm_calls == DEEP.num_calls
    assert seen.messages <= 37  # seen: 31 to 34, for 21 spawns and 21 parents that wake
    assert seen.round_trips <= 1.86  # seen: 1.66 to 1.69
    assert seen.commands <= 105  # seen: 95.0 to 95.1
    assert seen.bytes_in <= 2_900  # seen: 2,621 to 2,647
    assert seen.bytes_out <= 800  # seen: 714 to 732
    assert seen.kept_bytes <= 1_630  # seen: 1,480 to 1,481
