"""A look of a loop that fails is told of and counted, and the loop goes on."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext

import pytest
import structlog

from banyan import signals
from banyan.adapters.looping import Loop, survived
from banyan.adapters.memory_metrics import MemoryMetrics
from banyan.errors import StoreUnavailable


@pytest.mark.parametrize("error", [StoreUnavailable("away"), OSError("gone"), KeyError("lost")])
def test_every_failure_is_counted_and_survived(error: Exception) -> None:
    metrics = MemoryMetrics()
    for _ in range(2):
        with survived(structlog.get_logger(), "not looked", "look", metrics):
            raise error
    assert metrics.of(signals.LOOP_FAILURES, "look") == 2


def test_a_loop_that_is_cancelled_ends() -> None:
    metrics = MemoryMetrics()
    with (
        pytest.raises(asyncio.CancelledError),
        survived(structlog.get_logger(), "not looked", "look", metrics),
    ):
        raise asyncio.CancelledError
    assert metrics.of(signals.LOOP_FAILURES, "look") == 0


async def test_a_loop_looks_again_at_once_while_there_is_more_and_pauses_after_a_failure() -> None:
    metrics, looked = MemoryMetrics(), 0
    has_paused = asyncio.Event()

    def survives() -> AbstractContextManager[None]:
        return survived(structlog.get_logger(), "not looked", "look", metrics)

    async def look() -> bool:
        nonlocal looked
        looked += 1
        if looked == 3:
            asyncio.get_running_loop().call_soon(has_paused.set)
            raise StoreUnavailable("away")
        return True

    loop = Loop("look", look, pause_s=3_600.0, survives=survives)
    loop.start()
    await has_paused.wait()
    await loop.close()

    assert looked == 3
    assert metrics.of(signals.LOOP_FAILURES, "look") == 1


async def test_a_loop_that_was_not_started_can_be_closed() -> None:
    async def look() -> bool:
        raise AssertionError("nobody started it")

    await Loop("look", look, pause_s=1.0, survives=nullcontext).close()
