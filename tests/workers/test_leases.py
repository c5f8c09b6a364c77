"""The lease keeper: what goes wrong while it renews is counted, whatever it is."""

from __future__ import annotations

from banyan import signals
from banyan.adapters.memory_metrics import MemoryMetrics
from banyan.ports import Lease
from banyan.tree import tree_id
from tests.fixtures.waiting import eventually
from tests.workers.test_runner import BrokenStore
from workers.leases import LeaseKeeper


async def test_a_renewal_that_breaks_as_nobody_foresaw_is_counted() -> None:
    metrics = MemoryMetrics()
    sizes: list[int] = []
    keeper = LeaseKeeper(
        lambda: BrokenStore(sizes), lambda _: None, lease_s=0.03, renew_s=0.01, metrics=metrics
    )
    keeper.start()
    keeper.keep(Lease(tree_id("acme", "kept", 1), "0", 1))

    async def renews_again() -> bool:
        return len(sizes) > 1

    await eventually(renews_again)
    keeper.stop()
    assert metrics.of(signals.LOOP_FAILURES, "renew") == 1
