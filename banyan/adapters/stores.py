"""Makes the stores that the settings name: of trees, versions, keys, notices and blobs."""

from __future__ import annotations

from banyan.adapters.blobs import Blobs, FolderBlobs
from banyan.adapters.redis_access import RedisAccess
from banyan.adapters.redis_connection import RETRY_S
from banyan.adapters.redis_flights import RedisFlights
from banyan.adapters.redis_ledger import RedisLedger
from banyan.adapters.redis_leftovers import RedisLeftovers
from banyan.adapters.redis_outbox import RedisOutbox
from banyan.adapters.redis_policies import RedisPolicies
from banyan.adapters.redis_store import RedisStore
from banyan.settings import Settings

SOCKET_TIMEOUT_S = 10.0


def make_store(settings: Settings, *, patience_s: float | None = None) -> RedisStore:
    """The store for one event loop. Connects at the first call; close it at the end.

    `patience_s`: how long a call waits for a server that is away or full, for callers who have
    nothing better to do. The others are told within RETRY_S, and at once that there is no room.
    """
    return RedisStore(
        settings.redis_url,
        num_shards=settings.num_shards,
        queued_s=settings.queued_s,
        tenant_dispatch=settings.tenant_dispatch,
        tenant_queued=settings.tenant_queued,
        retention_s=settings.retention_s,
        max_events=settings.max_events,
        logs=settings.logs_trajectories,
        # A connection that fell silent must be noticed while the leases still hold.
        socket_timeout_s=min(SOCKET_TIMEOUT_S, settings.lease_s / 3),
        retry_s=RETRY_S if patience_s is None else patience_s,
        waits_for_room=patience_s is not None,
    )


def make_policies(settings: Settings) -> RedisPolicies:
    """The registry of versions, on the same server; likewise for one event loop."""
    return RedisPolicies(settings.redis_url)


def make_ledger(settings: Settings) -> RedisLedger:
    """Tenants' trees under way, on the same server; likewise for one event loop."""
    return RedisLedger(settings.redis_url)


def make_outbox(settings: Settings) -> RedisOutbox:
    """Notices of ended trees, on the same server; likewise for one event loop."""
    return RedisOutbox(settings.redis_url, num_shards=settings.num_shards)


def make_leftovers(settings: Settings) -> RedisLeftovers:
    """Texts of trees that are gone, on the same server; likewise for one event loop."""
    return RedisLeftovers(settings.redis_url, num_shards=settings.num_shards)


def make_flights(settings: Settings) -> RedisFlights:
    """Model calls in flight, on the same server; likewise for one event loop."""
    return RedisFlights(settings.redis_url)


def make_access(settings: Settings) -> RedisAccess:
    """API keys and signing secrets, on the same server; likewise for one event loop."""
    return RedisAccess(settings.redis_url)


def make_blobs(settings: Settings) -> Blobs:
    """What documents are kept in: the bucket where one is named, else the folder."""
    if settings.blob_url:
        # obstore is imported where there is a bucket.
        from banyan.adapters.bucket_blobs import BucketBlobs  # noqa: PLC0415
        from banyan.adapters.object_store import open_bucket  # noqa: PLC0415

        return BucketBlobs(open_bucket(settings.blob_url, settings))
    return FolderBlobs(settings.blob_dir)
