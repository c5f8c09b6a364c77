"""Lease keeper: renews all leases of a process from a thread of its own.

A busy event loop must not let leases expire, and a cancelled tree must stop its calls within a
second; so renewal has its own thread, loop and store connection.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import structlog

from banyan.errors import BanyanError
from banyan.ports import Lease, Store

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
    ) -> None:
        self.lease_s = lease_s
        self._make_store = make_store
        self._on_lost = on_lost
        self._renew_s = min(renew_s, lease_s / 3)
        self._leases: set[Lease] = set()
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
            self._leases.add(lease)

    def drop(self, lease: Lease) -> None:
        with self._lock:
            self._leases.discard(lease)

    def _main(self) -> None:
        asyncio.run(self._renew_until_stopped())

    async def _renew_until_stopped(self) -> None:
        store = self._make_store()
        try:
            while not await asyncio.to_thread(self._stopped.wait, self._renew_s):
                with self._lock:
                    leases = list(self._leases)
                if leases:
                    await self._renew(store, leases)
        finally:
            await store.close()

    async def _renew(self, store: Store, leases: list[Lease]) -> None:
        try:
            renewal = await store.renew(leases, lease_s=self.lease_s)
        except BanyanError as error:
            log.warning("renewal failed", count=len(leases), code=error.code)
            return
        for lease in renewal.lost:
            self.drop(lease)
            self._on_lost(lease)
