"""Guarded: work that ends where a part of the all-in-one dies, or a signal to stop comes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from banyan.local.errors import Interrupted
from banyan.local.stop_signal import StopSignal
from banyan.local.up import AllInOne

_POLL_S = 0.2

T = TypeVar("T")


async def guarded(work: Coroutine[Any, Any, T], local: AllInOne, stop: StopSignal) -> T:
    """The result of `work`; ends it where a part dies (Died) or a signal comes (Interrupted)."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_POLL_S)
            if not task.done():
                local.check()
                if stop.event.is_set():
                    raise Interrupted("stopped")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return task.result()
