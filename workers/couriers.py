"""Couriers: one task of the worker's loop that tells receivers of webhooks what has ended."""

from __future__ import annotations

import asyncio

import structlog

from banyan.adapters.courier import Courier
from banyan.adapters.destinations import Destinations
from banyan.adapters.looping import survived
from banyan.adapters.stores import make_access, make_outbox
from banyan.ports import Metrics, Store
from workers.settings import WorkerSettings

log = structlog.get_logger(__name__)

_PAUSE_S = 1.0


class Couriers:
    """Runs from `start` to `close`. What is not settled by then is left to other workers."""

    def __init__(self, settings: WorkerSettings, store: Store, metrics: Metrics) -> None:
        self._outbox = make_outbox(settings)
        self._access = make_access(settings)
        self._metrics = metrics
        self._courier = Courier(
            self._outbox,
            store,
            self._access,
            Destinations(settings.webhook_networks),
            metrics=metrics,
        )
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="couriers")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._courier.close()
        await self._outbox.close()
        await self._access.close()

    async def _run(self) -> None:
        while True:
            with survived(log, "outbox not read", "webhooks", self._metrics):
                await self._courier.step()
            await asyncio.sleep(_PAUSE_S)
