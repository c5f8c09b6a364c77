"""Sweeping: one task of the worker's loop that removes texts of solves that are gone."""

from __future__ import annotations

import structlog

from banyan.adapters.looping import Loop, survived
from banyan.adapters.stores import make_leftovers
from banyan.adapters.sweeper import Sweeper
from banyan.ports import Library, Metrics
from workers.settings import WorkerSettings

log = structlog.get_logger(__name__)

_PAUSE_S = 10.0


class Sweeping:
    """Runs from `start` to `close`. What is not removed by then is left to other workers."""

    def __init__(self, settings: WorkerSettings, library: Library, metrics: Metrics) -> None:
        self._leftovers = make_leftovers(settings)
        self._sweeper = Sweeper(self._leftovers, library)
        self._loop = Loop(
            "sweeping",
            self._look,
            pause_s=_PAUSE_S,
            survives=lambda: survived(log, "texts not removed", "leftovers", metrics),
        )

    def start(self) -> None:
        self._loop.start()

    async def close(self) -> None:
        await self._loop.close()
        await self._leftovers.close()

    async def _look(self) -> bool:
        return await self._sweeper.step() > 0
