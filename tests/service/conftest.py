"""Fixtures of the service's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from service.settings import ServiceSettings
from tests.service.house import House
from tests.service.served import Served, serve


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A service on twins, with small limits and a heartbeat that does not keep anyone waiting."""
    settings = ServiceSettings(
        max_body_bytes=200_000, max_document_bytes=100_000, heartbeat_s=0.02, default_wait_s=30.0
    )
    house = House(settings)
    async with house.http:
        yield house


@pytest.fixture
async def served(house: House) -> AsyncIterator[Served]:
    """The same service behind a real server."""
    async with serve(house) as served:
        yield served


@pytest.fixture
async def http(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the real server."""
    async with httpx.AsyncClient(base_url=served.url, timeout=30.0) as client:
        yield client
