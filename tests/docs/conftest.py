"""Fixtures of the documents' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from bench.stack import Stack
from service.settings import ServiceSettings
from tests.service.house import House

WINDOW = 2_048
"""As in `banyan up`, so that the files that the documents ask about are divided."""


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Everything that `banyan up` starts, around a fake model server."""
    with Stack(latency_s=0.01, num_workers=1, slots=16, window=WINDOW) as stack:
        yield stack


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """The service inside this process, to be asked what it says of itself."""
    house = House(ServiceSettings())
    async with house.http:
        yield house
