"""Fixtures: a service on twins behind a real server, and a worker that answers what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from banyan.client import AsyncClient
from service.settings import ServiceSettings
from tests.service.house import House, answered
from tests.service.served import Served, serve


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The service, with a heartbeat that does not keep anyone waiting."""
    house = House(ServiceSettings(heartbeat_s=0.02))
    async with house.http, serve(house) as served:
        yield served


@pytest.fixture
async def worker(served: Served) -> AsyncIterator[None]:
    """Answers every solve at once, in two pieces."""
    working = asyncio.create_task(work(served.house))
    yield
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def work(house: House) -> None:
    done = 0
    while True:
        await house.queue.sent.wait()
        house.queue.sent.clear()
        for hint in house.queue.hints[done:]:
            done += 1
            claimed = await house.claim(hint.tree_id)
            for piece in ("By ", "roots."):
                await house.store.delta(claimed.lease, {"text": piece})
            outcome = answered("", citations=(), covered=())
            await house.store.finish(claimed.lease, outcome, log=None)


@pytest.fixture
async def banyan(served: Served) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(served.url) as client:
        yield client
