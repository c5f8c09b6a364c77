"""Fixtures: a service that asks for keys."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.settings import ServiceSettings
from tests.service.house import House


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House(ServiceSettings(auth="on", default_wait_s=0.0, heartbeat_s=0.02))
    async with house.http:
        yield house
