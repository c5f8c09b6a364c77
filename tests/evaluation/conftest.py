"""Fixtures: a service on twins with a worker, and the fake model server as a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from banyan.local.ports import free_port
from banyan.local.probes import is_up
from tests.cli.waiting import wait_for
from tests.client.conftest import served, worker

__all__ = ["engine_url", "served", "slow_engine_url", "worker"]


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
