"""Sweeping: one task of the worker's loop that removes texts of solves that are gone."""

from __future__ import annotations

import asyncio

import structlog

from banyan.adapters.looping import survived
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
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sweeping")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._leftovers.close()

    async def _run(self) -> None:
        while True:
            with survived(log, "texts not removed", "leftovers", self._metrics):
                await self._sweeper.step()
            await asyncio.sleep(_PAUSE_S)
