"""The registry under test: the in-memory twin, a server, and a cluster pass the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.redis_policies import RedisPolicies
from banyan.ports import PolicyStore
from tests.fixtures.namespaces import namespace


@pytest.fixture
async def policies(store_url: str | None) -> AsyncIterator[PolicyStore]:
    """A registry that is empty."""
    store: PolicyStore
    store = RedisPolicies(store_url, namespace=namespace()) if store_url else MemoryPolicies()
    yield store
    await store.close()
