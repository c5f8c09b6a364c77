"""Fixtures: a service on a real socket, the kernel behind it, and OpenAI's client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest

from banyan.testing import ScriptedEngine
from service.settings import ServiceSettings
from tests.service.house import House
from tests.service.served import Served, serve
from tests.service.working import working


class Gate:
    """Holds every model call of the engine while it is closed."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.engine = ScriptedEngine(hold=self._hold)

    async def _hold(self, call: object) -> None:
        del call
        await self.open.wait()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def served(gate: Gate) -> AsyncIterator[Served]:
    """The service and a worker."""
    house = House(ServiceSettings(heartbeat_s=0.02, max_wait_s=30.0))
    async with house.http, serve(house) as served, working(house, gate.engine):
        yield served


@pytest.fixture
async def client(served: Served) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none") as client:
        yield client


@pytest.fixture
def house() -> House:
    """A service whose nodes the test ends itself."""
    return House(ServiceSettings(heartbeat_s=0.02, max_wait_s=30.0))


@pytest.fixture
async def client_of_house(house: House) -> AsyncIterator[openai.AsyncOpenAI]:
    """Talks to `house` over a real socket."""
    async with (
        house.http,
        serve(house) as served,
        openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none") as client,
    ):
        yield client
