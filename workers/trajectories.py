"""Trajectories: one task of the worker's loop that writes finished trees to the log."""

from __future__ import annotations

import asyncio
import importlib
import time
from typing import cast

import structlog

from banyan.adapters.looping import Loop, survived
from banyan.adapters.redis_trajectories import RedisTrajectoryQueue
from banyan.adapters.trajectory_log import open_log
from banyan.adapters.trajectory_writer import Redact, TrajectoryWriter
from banyan.errors import InvalidInput
from banyan.ports import Metrics
from workers.settings import WorkerSettings

log = structlog.get_logger(__name__)

_PAUSE_S = 2.0
_SWEEP_EVERY_S = 3_600.0
_LEASES_A_TREE = 4
"""A tree of the log is held for longer than a node: writing a large one takes minutes."""


class Trajectories:
    """Runs from `start` to `close`; what is not written by then stays in the queue for others."""

    def __init__(self, settings: WorkerSettings, metrics: Metrics) -> None:
        place = open_log(settings)
        if place is None:
            raise ValueError("there is no place for the trajectory log")
        self._days = settings.trajectory_days
        self._log = place
        self._queue = RedisTrajectoryQueue(settings.redis_url, num_shards=settings.num_shards)
        self._writer = TrajectoryWriter(
            self._queue,
            self._log,
            redact=load_redaction(settings.redaction) if settings.redaction else None,
            lease_s=_LEASES_A_TREE * settings.lease_s,
            metrics=metrics,
        )
        self._swept_at = -_SWEEP_EVERY_S
        self._loop = Loop(
            "trajectories",
            self._look,
            pause_s=_PAUSE_S,
            survives=lambda: survived(log, "trajectories not written", "trajectories", metrics),
        )

    def start(self) -> None:
        self._loop.start()

    async def close(self) -> None:
        await self._loop.close()
        await self._queue.close()

    async def _look(self) -> bool:
        """A tree stays in the queue until it is written, or expires and is counted."""
        if self._days and time.monotonic() - self._swept_at >= _SWEEP_EVERY_S:
            self._swept_at = time.monotonic()
            await asyncio.to_thread(self._log.remove_old, self._days)
        return await self._writer.write_due() > 0


def load_redaction(path: str) -> Redact:
    """The operator's function `module:function`. Raises InvalidInput where there is none."""
    module, _, name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        found = None
        why = str(error)
    else:
        why = "it is no function"
    if not callable(found):
        raise InvalidInput(
            f"BANYAN_REDACTION: there is no function {path}: {why}",
            hint="Set it to module:function, and put the module on PYTHONPATH.",
        )
    return cast("Redact", found)
