"""What trees see of swaps: pinned when admitted, kept while they run, told when they move."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from banyan import moves, notices
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.publishing import change
from banyan.adapters.served_versions import PIN_SLACK_S, ServedVersions
from banyan.admission import admission
from banyan.drive import drive
from banyan.errors import NotFound, UnknownPolicy
from banyan.node import Outcome
from banyan.policy import LIVE, ONLY_BASE
from banyan.ports import Claimed, Ports
from banyan.state import unpack
from banyan.task import Gate, Task
from banyan.trajectory import TurnRecord
from banyan.tree import tree_id
from tests.swap.farm import Farm


class Wood:
    """Trees of one node over a farm."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        self.versions = ServedVersions(farm.store, ONLY_BASE.resolve)
        self.ports = Ports(store=MemoryStore(), library=MemoryLibrary(), engine=farm.engine)

    async def admit(self, key: str) -> Claimed:
        """A tree on what is live, whose root a worker has claimed."""
        new_id = tree_id("t", key, num_shards=1)
        policy = await self.versions.assign(LIVE, new_id, deadline_s=60.0)
        task = Task(tenant="t", goal="Say it.", gate=Gate(mode="never"), policy=policy.version)
        await self.ports.store.admit(admission(task, new_id))
        claims = await self.ports.store.claim(new_id, ["0"], worker="w", lease_s=60.0, reserves={})
        [claimed] = claims.nodes
        return claimed

    async def run(self, claimed: Claimed) -> tuple[Outcome, TurnRecord]:
        """Drive the root to its end, on the version that its task is pinned to."""
        record = await self.ports.store.get_tree(claimed.lease.tree_id)
        task = unpack(record.task, Task)
        policy = await self.versions.of_tree(task.policy, record.id, left_s=60.0)
        await drive(claimed, task, policy, self.ports)
        node = await self.ports.store.get_node(record.id, "0")
        assert node.outcome is not None
        return node.outcome, unpack(node.turns[-1], TurnRecord)


async def test_a_tree_runs_on_the_version_that_was_live_when_it_was_admitted(
    tmp_path: Path,
) -> None:
    wood = Wood(Farm(tmp_path, "a"))
    first = await wood.farm.promoted()
    claimed = await wood.admit("one")
    await wood.farm.promoted()
    await wood.farm.promoted()

    outcome, turn = await wood.run(claimed)

    assert turn.policy_version == first
    assert notices.WEIGHTS_MOVED not in outcome.notices
    assert await wood.farm.store.pins(first, limit=9) == [claimed.lease.tree_id]


async def test_a_tree_whose_only_replica_took_newer_weights_says_so(tmp_path: Path) -> None:
    wood = Wood(Farm(tmp_path, "a", kind="full"))
    first = await wood.farm.promoted()
    before, old_turn = await wood.run(await wood.admit("before"))
    claimed = await wood.admit("one")
    second = await wood.farm.promoted()

    outcome, turn = await wood.run(claimed)

    assert (old_turn.policy_version, turn.policy_version) == (first, second)
    assert notices.WEIGHTS_MOVED not in before.notices
    assert notices.WEIGHTS_MOVED in outcome.notices


async def test_a_tree_waits_while_its_replica_is_reloaded(tmp_path: Path) -> None:
    """The driver makes a call again that was aborted or found nobody."""
    wood = Wood(Farm(tmp_path, "a", kind="full"))
    going, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        going.set()
        await go.wait()

    wood.farm.replicas["a"].hold = hold
    running = asyncio.create_task(wood.run(await wood.admit("one")))
    await going.wait()
    version = await wood.farm.promoted()
    go.set()

    outcome, turn = await running

    assert outcome.status == "ok"
    assert turn.policy_version == version
    assert wood.farm.replicas["a"].num_aborted == 1


async def test_a_tree_that_is_admitted_while_live_moves_is_pinned_to_one_or_the_other(
    tmp_path: Path,
) -> None:
    """A look that is out of date is taken again, so that nothing is pinned that may be gone."""
    farm = Farm(tmp_path, "a")
    versions = ServedVersions(farm.store, ONLY_BASE.resolve)
    assert (await versions.assign(LIVE, "t1", deadline_s=1.0)).version == "base"
    first = await farm.promoted()

    policy = await versions.assign(LIVE, "t2", deadline_s=1.0)

    assert (policy.version, policy.adapter, policy.threshold) == (first, first, 1.5)
    assert await farm.store.pins("base", limit=9) == ["t1"]
    assert await farm.store.pins(first, limit=9) == ["t2"]
    second = await farm.promoted()
    assert (await versions.assign(second, "t3", deadline_s=1.0)).version == second
    assert PIN_SLACK_S > 60.0


async def test_names_that_are_not_served_pin_nothing(tmp_path: Path) -> None:
    farm = Farm(tmp_path, "a")
    versions = ServedVersions(farm.store, ONLY_BASE.resolve)
    version = await farm.publish()
    await change(farm.store, lambda now: moves.reject(now, version, ("no",), 1.0))
    await versions.load()
    with pytest.raises(NotFound, match="rejected"):
        await versions.assign(version, "t", deadline_s=1.0)
    with pytest.raises(UnknownPolicy):
        await versions.assign("v9", "t", deadline_s=1.0)
    assert await farm.store.pins(version, limit=9) == []
