"""The runner on the official twins: what it does when what it stands on is away, or lies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import pytest

from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_metrics import NoMetrics
from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.no_traces import NoTraces
from banyan.adapters.served_versions import ServedVersions
from banyan.admission import admission
from banyan.errors import StoreUnavailable
from banyan.limits import Limits
from banyan.node import Outcome
from banyan.policy import ONLY_BASE
from banyan.ports import Claims, Hint, Lease, Ports, Renewal, Reserve, TurnLog
from banyan.serving import Serving
from banyan.task import Task
from banyan.testing import ScriptedEngine
from banyan.tree import tree_id
from tests.fixtures.waiting import eventually
from tests.service.house import HintBox
from workers.leases import LeaseKeeper
from workers.runner import Runner
from workers.slots import Slots

LEASE_S = 60.0
QUEUED_S = 15.0
HOUR_S = 3_600.0


class FlakyStore(MemoryStore):
    """A store with a clock of its own, that can be away when a node ends."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s
        super().__init__(clock=lambda: time.time() + self.ahead_s, queued_s=QUEUED_S)
        self.num_refused = 0
        self.num_to_refuse = 0

    async def finish(
        self, lease: Lease, outcome: Outcome, *, log: TurnLog | None, packed: bytes | None = None
    ) -> list[Hint]:
        if self.num_to_refuse:
            self.num_to_refuse -= 1
            self.num_refused += 1
            raise StoreUnavailable("no answer from the store")
        return await super().finish(lease, outcome, log=log, packed=packed)


class Worker:
    """A runner on a store."""

    def __init__(self, store: FlakyStore, num_slots: int = 4) -> None:
        self.store = store
        self.queue = HintBox()
        engine = ScriptedEngine()
        self.runner = Runner(
            "w",
            Ports(store=store, library=MemoryLibrary(), engine=engine),
            Serving.only(engine),
            self.queue,
            LeaseKeeper(
                MemoryStore, lambda _: None, lease_s=LEASE_S, renew_s=1.0, metrics=NoMetrics()
            ),
            versions=ServedVersions(MemoryPolicies(), ONLY_BASE.resolve),
            num_slots=num_slots,
            metrics=NoMetrics(),
            traces=NoTraces(),
        )

    async def admit(self, *, policy: str = "base", deadline_s: float = 600.0) -> str:
        new_id = tree_id("acme", f"{policy} {deadline_s}", 1)
        limits = Limits(deadline_s=deadline_s)
        task = Task(tenant="acme", goal="Say it.", policy=policy, limits=limits)
        await self.store.admit(admission(task, new_id))
        return new_id

    async def run(self, new_id: str) -> None:
        await self.runner.look(new_id, ["0"])
        await self._until_idle()

    async def reap(self) -> None:
        await self.runner.reap()
        await self._until_idle()

    async def _until_idle(self) -> None:
        async def is_idle() -> bool:
            return self.runner.num_busy == 0

        await eventually(is_idle)

    async def status(self, new_id: str) -> str:
        return (await self.store.get_tree(new_id)).status


async def test_a_store_that_is_away_is_no_outcome_of_a_node() -> None:
    worker = Worker(FlakyStore())
    solve = await worker.admit()
    worker.store.num_to_refuse = 1

    await worker.run(solve)
    before = await worker.store.get_node(solve, "0")
    worker.store.ahead_s = 2 * LEASE_S
    await worker.reap()

    assert worker.store.num_refused == 1
    assert before.outcome is None
    assert await worker.status(solve) == "completed"


@pytest.mark.parametrize("ahead_s", [HOUR_S, -HOUR_S])
async def test_a_policy_that_is_not_served_is_waited_for_on_the_stores_clock(
    ahead_s: float,
) -> None:
    """The worker's own clock is off by an hour, and the deadline is ten minutes away."""
    worker = Worker(FlakyStore(ahead_s))
    solve = await worker.admit(policy="newer")

    await worker.run(solve)
    waiting = await worker.status(solve)
    worker.store.ahead_s += 601.0
    await worker.run(solve)

    assert waiting == "queued"
    assert await worker.status(solve) == "failed"


async def test_overdue_nodes_are_started_without_the_broker_as_far_as_there_are_slots() -> None:
    worker = Worker(FlakyStore(), num_slots=2)
    solves = [await worker.admit(deadline_s=600.0 + index) for index in range(3)]
    worker.store.ahead_s = 2 * QUEUED_S

    await worker.reap()

    statuses = [await worker.status(solve) for solve in solves]
    assert statuses.count("completed") == 2
    assert [hint.tree_id for hint in worker.queue.hints] == [
        solve for solve, status in zip(solves, statuses, strict=True) if status == "queued"
    ]


async def test_an_overdue_node_that_is_not_served_here_is_left_to_others() -> None:
    worker = Worker(FlakyStore())
    solve = await worker.admit(policy="newer")
    worker.store.ahead_s = 2 * QUEUED_S

    await worker.reap()

    assert [(hint.tree_id, hint.paths) for hint in worker.queue.hints] == [(solve, ("0",))]


async def test_a_tree_of_another_release_keeps_no_other_from_being_started() -> None:
    worker = Worker(FlakyStore())
    foreign = tree_id("acme", "foreign", 1)
    written = admission(Task(tenant="acme", goal="Say it."), foreign)
    await worker.store.admit(replace(written, task=b"of another release"))
    solve = await worker.admit()
    worker.store.ahead_s = 2 * QUEUED_S

    await worker.reap()

    assert await worker.status(solve) == "completed"
    assert await worker.status(foreign) == "queued"
    assert [hint.tree_id for hint in worker.queue.hints] == [foreign]


async def test_fewer_slots_than_nodes_run_leave_none_to_take() -> None:
    slots = Slots(8)
    assert await slots.take(8) == 8
    slots.resize(2)

    assert slots.take_now(20) == 0
    slots.give(8)
    assert slots.take_now(20) == 2


async def test_what_is_claimed_while_a_worker_drains_is_handed_back() -> None:
    store = HeldStore()
    worker = Worker(store)
    solve = await worker.admit()
    looking = asyncio.create_task(worker.runner.look(solve, ["0"]))
    await store.claiming.wait()
    draining = asyncio.create_task(worker.runner.drain(60.0))
    await asyncio.sleep(0)
    store.may_claim.set()
    await asyncio.gather(looking, draining)

    node = await store.get_node(solve, "0")
    assert (node.status, node.epoch) == ("queued", 2)
    assert worker.runner.num_busy == 0


class HeldStore(FlakyStore):
    """A store whose claims wait until they may."""

    def __init__(self) -> None:
        super().__init__()
        self.claiming, self.may_claim = asyncio.Event(), asyncio.Event()

    async def claim(
        self,
        tree_id: str,
        paths: Sequence[str],
        *,
        worker: str,
        lease_s: float,
        reserves: Mapping[str, Reserve],
    ) -> Claims:
        self.claiming.set()
        await self.may_claim.wait()
        return await super().claim(
            tree_id, paths, worker=worker, lease_s=lease_s, reserves=reserves
        )


class BrokenStore(MemoryStore):
    """A store whose first renewal breaks in a way that nobody foresaw."""

    def __init__(self, renewed: list[int]) -> None:
        super().__init__()
        self._renewed = renewed

    async def renew(self, leases: Sequence[Lease], *, lease_s: float) -> Renewal:
        self._renewed.append(len(leases))
        if len(self._renewed) == 1:
            raise RuntimeError("a reply that nobody foresaw")
        return await super().renew(leases, lease_s=lease_s)


@pytest.fixture
async def renewed() -> AsyncIterator[list[int]]:
    """Sizes of the renewals of a keeper whose store breaks at the first."""
    sizes: list[int] = []
    keeper = LeaseKeeper(
        lambda: BrokenStore(sizes),
        lambda _: None,
        lease_s=0.03,
        renew_s=0.01,
        metrics=NoMetrics(),
    )
    keeper.start()
    keeper.keep(Lease(tree_id("acme", "kept", 1), "0", 1))
    yield sizes
    keeper.stop()


async def test_a_renewal_that_breaks_is_not_the_last(renewed: list[int]) -> None:
    async def came_again() -> bool:
        return len(renewed) >= 2

    assert await eventually(came_again)
