"""The registry under test: the in-memory twin, a server, and a cluster pass the same suite."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest

from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.redis_policies import RedisPolicies
from banyan.local.valkey import Valkey
from banyan.ports import PolicyStore
from tests.fixtures.valkey import valkey, valkey_cluster

__all__ = ["valkey", "valkey_cluster"]

_namespaces = itertools.count()


@pytest.fixture(params=["memory", "valkey", "valkey_cluster"])
async def policies(request: pytest.FixtureRequest) -> AsyncIterator[PolicyStore]:
    """A registry that is empty."""
    store: PolicyStore
    if request.param == "memory":
        store = MemoryPolicies()
    else:
        server: Valkey = request.getfixturevalue(request.param)
        store = RedisPolicies(server.url, namespace=f"test{next(_namespaces)}-")
    yield store
    await store.close()
