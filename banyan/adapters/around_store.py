"""Around a store: the base of stores that stand before another one and hear of its calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from banyan.budget import Budget
from banyan.node import Outcome
from banyan.ports import (
    Admission,
    Admitted,
    ChildNode,
    Claims,
    Hint,
    Lease,
    Listing,
    Renewal,
    Reserve,
    Store,
    Survey,
    TurnLog,
)
from banyan.quotas import TenantSpending
from banyan.tree import Event, NodeRecord, TreeRecord, TreeStatus


class AroundStore:
    """`banyan.ports.Store` that goes to `inner` as it is."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    async def admit(self, admission: Admission) -> Admitted:
        return await self._inner.admit(admission)

    async def claim(
        self,
        tree_id: str,
        paths: Sequence[str],
        *,
        worker: str,
        lease_s: float,
        reserves: Mapping[str, Reserve],
    ) -> Claims:
        return await self._inner.claim(
            tree_id, paths, worker=worker, lease_s=lease_s, reserves=reserves
        )

    async def renew(self, leases: Sequence[Lease], *, lease_s: float) -> Renewal:
        return await self._inner.renew(leases, lease_s=lease_s)

    async def turn(self, lease: Lease, log: TurnLog, packed: bytes) -> Budget:
        return await self._inner.turn(lease, log, packed)

    async def spawn(
        self,
        lease: Lease,
        children: Sequence[ChildNode],
        *,
        packed: bytes,
        kept: Budget,
        log: TurnLog | None,
        event: Mapping[str, Any],
        shared: tuple[str, bytes] | None = None,
    ) -> list[Hint]:
        return await self._inner.spawn(
            lease, children, packed=packed, kept=kept, log=log, event=event, shared=shared
        )

    async def shared(self, tree_id: str, name: str) -> bytes:
        return await self._inner.shared(tree_id, name)

    async def finish(
        self, lease: Lease, outcome: Outcome, *, log: TurnLog | None, packed: bytes | None = None
    ) -> list[Hint]:
        return await self._inner.finish(lease, outcome, log=log, packed=packed)

    async def release(self, leases: Sequence[Lease]) -> list[Hint]:
        return await self._inner.release(leases)

    async def delta(self, lease: Lease, data: Mapping[str, Any]) -> None:
        await self._inner.delta(lease, data)

    async def derive(self, lease: Lease, document: str) -> None:
        await self._inner.derive(lease, document)

    async def cancel(self, tree_id: str) -> bool:
        return await self._inner.cancel(tree_id)

    async def resume(
        self, tree_id: str, *, extra: Budget, deadline_s: float, key: str | None = None
    ) -> tuple[bool, list[Hint]]:
        return await self._inner.resume(tree_id, extra=extra, deadline_s=deadline_s, key=key)

    async def delete(self, tree_id: str, tenant: str) -> bool:
        return await self._inner.delete(tree_id, tenant)

    async def reap(self, *, limit: int = 256) -> list[Hint]:
        return await self._inner.reap(limit=limit)

    async def get_tree(self, tree_id: str) -> TreeRecord:
        return await self._inner.get_tree(tree_id)

    async def get_node(self, tree_id: str, path: str) -> NodeRecord:
        return await self._inner.get_node(tree_id, path)

    async def list_nodes(
        self, tree_id: str, *, offset: int, limit: int
    ) -> tuple[list[NodeRecord], int]:
        return await self._inner.list_nodes(tree_id, offset=offset, limit=limit)

    async def list_trees(
        self, tenant: str, *, status: TreeStatus | None, after: str | None, limit: int
    ) -> Listing:
        return await self._inner.list_trees(tenant, status=status, after=after, limit=limit)

    def events(self, tree_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        return self._inner.events(tree_id, after=after)

    async def spending(self, tenant: str) -> TenantSpending:
        return await self._inner.spending(tenant)

    async def survey(self) -> Survey:
        return await self._inner.survey()

    async def now(self) -> float:
        return await self._inner.now()

    async def ping(self) -> None:
        await self._inner.ping()

    async def close(self) -> None:
        await self._inner.close()
