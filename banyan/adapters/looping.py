"""Looping: a look of a program's own loop may fail; it is counted, and the loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from structlog.typing import FilteringBoundLogger

from banyan import signals
from banyan.errors import BanyanError
from banyan.ports import Metrics


@contextmanager
def survived(log: FilteringBoundLogger, event: str, loop: str, metrics: Metrics) -> Iterator[None]:
    """What fails inside is logged as `event` and counted for `loop`: the next look may succeed."""
    try:
        yield
    except BanyanError as error:
        log.warning(event, code=error.code)
        metrics.count(signals.LOOP_FAILURES, loop)
    except Exception:
        log.exception(event)
        metrics.count(signals.LOOP_FAILURES, loop)


class Loop:
    """A task, called `name`, that looks again and again, from `start` to `close`.

    A `look` tells whether there may be more to do at once. Otherwise, and where it failed, the next
    one is `pause_s` seconds later. `survives` is `survived`, with what it is to log and count.
    """

    def __init__(
        self,
        name: str,
        look: Callable[[], Awaitable[bool]],
        *,
        pause_s: float,
        survives: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._name = name
        self._look = look
        self._pause_s = pause_s
        self._survives = survives
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def close(self) -> None:
        """End it, in the middle of a look too."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            has_more = False
            with self._survives():
                has_more = await self._look()
            if not has_more:
                await asyncio.sleep(self._pause_s)
