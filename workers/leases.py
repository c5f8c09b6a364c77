"""Lease keeper: renews all leases of a process from a thread of its own.

A busy event loop must not let leases expire, and a cancelled tree must stop its calls within a
second; so renewal has its own thread, loop and store connection. A lease is renewed when a third of
its time is over; in between one lease a tree is, since a cancel ends all leases of its tree.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import structlog

from banyan.adapters.looping import survived
from banyan.ports import Lease, Metrics, Store

log = structlog.get_logger(__name__)


class LeaseKeeper:
    """Keeps leases until they are dropped; `on_lost` is called in the keeper's thread."""

    def __init__(
        self,
        make_store: Callable[[], Store],
        on_lost: Callable[[Lease], None],
        *,
        lease_s: float,
        renew_s: float,
        metrics: Metrics,
    ) -> None:
        self.lease_s = lease_s
        self._make_store = make_store
        self._on_lost = on_lost
        self._metrics = metrics
        self._renew_s = min(renew_s, lease_s / 3)
        self._renewed_at: dict[Lease, float] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._main, name="lease-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop renewing and wait for the thread."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def keep(self, lease: Lease) -> None:
        with self._lock:
            self._renewed_at[lease] = time.monotonic()

    def drop(self, lease: Lease) -> None:
        with self._lock:
            self._renewed_at.pop(lease, None)

    def _main(self) -> None:
        asyncio.run(self._renew_until_stopped())

    async def _renew_until_stopped(self) -> None:
        store = self._make_store()
        try:
            while not await asyncio.to_thread(self._stopped.wait, self._renew_s):
                lost = await self._renew(store, self._due())
                if lost:
                    await self._renew(store, self._of_trees({lease.tree_id for lease in lost}))
        finally:
            await store.close()

    def _due(self) -> list[Lease]:
        """Leases that a third of their time is over for, and one of every other tree."""
        old = time.monotonic() - self.lease_s / 3
        with self._lock:
            due = [lease for lease, renewed_at in self._renewed_at.items() if renewed_at <= old]
            trees = {lease.tree_id: lease for lease in self._renewed_at}
        for lease in due:
            trees.pop(lease.tree_id, None)
        return [*due, *trees.values()]

    def _of_trees(self, trees: set[str]) -> list[Lease]:
        with self._lock:
            return [lease for lease in self._renewed_at if lease.tree_id in trees]

    async def _renew(self, store: Store, leases: list[Lease]) -> tuple[Lease, ...]:
        """Renew `leases`, tell of those that are lost and return them."""
        if not leases:
            return ()
        lost: tuple[Lease, ...] | None = None
        with survived(log.bind(count=len(leases)), "renewal failed", "renew", self._metrics):
            lost = (await store.renew(leases, lease_s=self.lease_s)).lost
        if lost is None:
            return ()
        self._mark(leases, set(lost))
        return lost

    def _mark(self, leases: list[Lease], lost: set[Lease]) -> None:
        """Forget those that are lost and tell of them; the others are renewed."""
        now = time.monotonic()
        with self._lock:
            for lease in leases:
                if lease in lost:
                    self._renewed_at.pop(lease, None)
                elif lease in self._renewed_at:
                    self._renewed_at[lease] = now
        for lease in lost:
            self._on_lost(lease)
