"""Couriers: one task of the worker's loop that tells receivers of webhooks what has ended."""

from __future__ import annotations

import structlog

from banyan.adapters.courier import Courier
from banyan.adapters.destinations import Destinations
from banyan.adapters.looping import Loop, survived
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
        self._courier = Courier(
            self._outbox,
            store,
            self._access,
            Destinations(settings.webhook_networks),
            metrics=metrics,
        )
        self._loop = Loop(
            "couriers",
            self._look,
            pause_s=_PAUSE_S,
            survives=lambda: survived(log, "outbox not read", "webhooks", metrics),
        )

    def start(self) -> None:
        self._loop.start()

    async def close(self) -> None:
        await self._loop.close()
        await self._courier.close()
        await self._outbox.close()
        await self._access.close()

    async def _look(self) -> bool:
        await self._courier.step()
        return False
