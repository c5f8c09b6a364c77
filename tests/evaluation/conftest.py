"""Fixtures: a service on twins with a worker, and a model server that is slow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.conftest import served, worker
from tests.fixtures.fake_engine import fake_engine

__all__ = ["served", "slow_engine_url", "worker"]


@pytest.fixture
def slow_engine_url() -> Iterator[str]:
    """One that thinks for so long that a signal reaches an evaluation before its end."""
    with fake_engine("--latency", "2") as url:
        yield url
