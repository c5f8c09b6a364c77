"""What is known of all shards together: a tenant's spending, what waits and what runs."""

from __future__ import annotations

from typing import Any, Protocol

from banyan.adapters.redis_connection import Connection
from banyan.adapters.redis_scripts import Name
from banyan.ports import Survey
from banyan.quotas import TenantSpending


class RunOnAll(Protocol):
    """Runs a script in every shard; its replies, in the order of the shards."""

    async def __call__(self, name: Name, **arguments: Any) -> list[list[Any]]: ...


class RedisTotals:
    """The part of `banyan.ports.Store` that sums up. All calls raise StoreUnavailable."""

    def __init__(self, connection: Connection, run_on_all: RunOnAll) -> None:
        self._connection = connection
        self._run_on_all = run_on_all

    async def spending(self, tenant: str) -> TenantSpending:
        """What the tenant's turns have used lately, as of the first shard's clock."""
        replies = await self._run_on_all("spending", tenant=tenant)
        now_ms, *_ = replies[0][1:]
        return TenantSpending(
            now_ms / 1000, *(sum(used) for used in zip(*(one[2:] for one in replies), strict=True))
        )

    async def survey(self) -> Survey:
        """Counts of all shards, and the memory of their servers in bytes."""
        replies = await self._run_on_all("survey")
        used_bytes, max_bytes = await self._connection.memory_bytes()
        due, oldest_ms, *others = zip(*(reply[1:] for reply in replies), strict=True)
        running, unlogged, notices, expired, lost = (sum(counts) for counts in others)
        return Survey(
            due_nodes=sum(due),
            oldest_due_s=max(oldest_ms) / 1000,
            running_nodes=running,
            unlogged_trees=unlogged,
            notices=notices,
            expired_leases=expired,
            lost_trees=lost,
            used_bytes=used_bytes,
            max_bytes=max_bytes,
        )
