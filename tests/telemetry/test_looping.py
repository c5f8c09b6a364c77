"""A look of a loop that fails is told of and counted, and the loop goes on."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from banyan import signals
from banyan.adapters.looping import survived
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
