"""Fixtures: a service on twins with a worker, and the fake model server as a process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from banyan.local.ports import free_port
from banyan.local.probes import is_up
from service.settings import ServiceSettings
from tests.cli.waiting import wait_for
from tests.client.conftest import work
from tests.service.house import House
from tests.service.served import Served, serve


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The service behind a real server; nothing works on its solves."""
    house = House(ServiceSettings(heartbeat_s=0.02))
    async with house.http, serve(house) as served:
        yield served


@pytest.fixture
async def worker(served: Served) -> AsyncIterator[None]:
    """Answers every solve at once with a citation-free «By roots.»."""
    working = asyncio.create_task(work(served.house))
    yield
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


@pytest.fixture(scope="module")
def engine_url() -> Iterator[str]:
    """The official fake of a model server."""
    with fake_engine() as url:
        yield url


@pytest.fixture
def slow_engine_url() -> Iterator[str]:
    """One that thinks for so long that a signal reaches an evaluation before its end."""
    with fake_engine("--latency", "2") as url:
        yield url


@contextmanager
def fake_engine(*options: str) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "banyan.testing", "--port", str(port), "--window", "2048", *options]
    )
    try:
        wait_for(lambda: is_up(f"{url}/health"), "the fake engine")
        yield url
    finally:
        process.terminate()
        process.wait()
