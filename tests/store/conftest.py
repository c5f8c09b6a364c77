"""The store under test: the in-memory twin, a server, and a cluster pass the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.redis_store import RedisStore
from banyan.adapters.store_rules import MAX_EVENTS, TENANT_QUEUED
from banyan.ports import Store
from tests.fixtures.namespaces import namespace
from tests.store.trees import NUM_SHARDS, Forest

MakeForest = Callable[..., Forest]


@pytest.fixture
async def make(store_url: str | None) -> AsyncIterator[MakeForest]:
    """Makes stores with the rules that a test is about, such as queued_s and tenant_dispatch."""
    stores: list[Store] = []

    def make_one(
        *,
        queued_s: float = 60.0,
        tenant_dispatch: int = 1_024,
        tenant_queued: int = TENANT_QUEUED,
        retention_s: float = 600.0,
        max_events: int = MAX_EVENTS,
    ) -> Forest:
        store: Store
        if store_url is None:
            store = MemoryStore(
                queued_s=queued_s,
                tenant_dispatch=tenant_dispatch,
                tenant_queued=tenant_queued,
                retention_s=retention_s,
                max_events=max_events,
            )
        else:
            store = RedisStore(
                store_url,
                num_shards=NUM_SHARDS,
                queued_s=queued_s,
                tenant_dispatch=tenant_dispatch,
                tenant_queued=tenant_queued,
                retention_s=retention_s,
                max_events=max_events,
                namespace=namespace(),
            )
        stores.append(store)
        return Forest(store)

    yield make_one
    for store in stores:
        await store.close()


@pytest.fixture
def forest(make: MakeForest) -> Forest:
    return make()
