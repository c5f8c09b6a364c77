"""What became of trees is told once, by the store's clock, whatever the worker's says."""

from __future__ import annotations

import pytest

from banyan import signals
from banyan.adapters.memory_metrics import MemoryMetrics
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.observed_store import ObservedStore
from banyan.budget import Budget
from banyan.ports import Spent, TurnLog
from tests.store.trees import FAILED, OK, Forest

AN_HOUR_S = 3_600.0


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Observed:
    """A worker whose clock is an hour behind the store's."""

    def __init__(self) -> None:
        self.clock, self.store_clock = Clock(0.0), Clock(AN_HOUR_S)
        self.metrics = MemoryMetrics()
        inner = MemoryStore(clock=self.store_clock)
        self.store = ObservedStore(inner, self.metrics, clock=self.clock)
        self.forest = Forest(self.store)

    async def plant(self) -> str:
        tree = await self.forest.plant()
        await self.store.get_tree(tree)  # as a worker does before it claims
        return tree

    def pass_s(self, seconds: float) -> None:
        self.clock.now += seconds
        self.store_clock.now += seconds

    def took(self, status: str) -> list[float]:
        return self.metrics.observed[signals.TREE_SECONDS].get((status,), [])


@pytest.fixture
def observed() -> Observed:
    return Observed()


async def test_a_tree_took_what_passed_on_the_stores_clock(observed: Observed) -> None:
    tree = await observed.plant()
    observed.pass_s(3.0)
    root = await observed.forest.lease(tree)
    observed.pass_s(4.0)
    await observed.forest.finish(root, OK)
    assert observed.took("completed") == [pytest.approx(7.0)]


async def test_a_tree_that_was_opened_again_has_no_time_of_its_own(observed: Observed) -> None:
    tree = await observed.plant()
    await observed.forest.run(tree, outcome=FAILED)
    opened, _ = await observed.store.resume(
        tree, extra=Budget(tokens=10, nodes=1), deadline_s=600.0
    )
    assert opened
    observed.pass_s(100.0)
    await observed.forest.run(tree, outcome=OK)
    assert len(observed.took("failed")) == 1
    assert observed.took("completed") == []
    assert observed.metrics.of(signals.TREES_FINISHED, "completed") == 1


async def test_calls_that_were_shared_are_counted_by_their_policy(observed: Observed) -> None:
    root = await observed.forest.lease(await observed.plant())
    turn = TurnLog(b"turn", Spent(llm_calls=1, coalesced_calls=2), {"policy": "base"})
    await observed.forest.finish(root, OK, turn=turn)
    assert observed.metrics.of(signals.COALESCED_CALLS, "base") == 2


async def test_a_cancelled_tree_is_told_of_once(observed: Observed) -> None:
    tree = await observed.plant()
    for _ in range(3):
        await observed.store.cancel(tree)
    assert observed.metrics.of(signals.TREES_FINISHED, "cancelled") == 1
