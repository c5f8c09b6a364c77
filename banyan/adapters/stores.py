"""Makes the stores that the settings name: of trees, and of the versions of policies."""

from __future__ import annotations

from banyan.adapters.redis_policies import RedisPolicies
from banyan.adapters.redis_store import RedisStore
from banyan.settings import Settings


def make_store(settings: Settings) -> RedisStore:
    """The store for one event loop. Connects at the first call; close it at the end."""
    return RedisStore(
        settings.redis_url,
        num_shards=settings.num_shards,
        queued_s=settings.queued_s,
        tenant_dispatch=settings.tenant_dispatch,
        retention_s=settings.retention_s,
        max_events=settings.max_events,
        logs=settings.trajectory_dir is not None,
    )


def make_policies(settings: Settings) -> RedisPolicies:
    """The registry of versions, on the same server; likewise for one event loop."""
    return RedisPolicies(settings.redis_url)
