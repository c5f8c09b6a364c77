"""The durable tree in Redis or Valkey: every transition is one Lua script in one hash slot.

The rules are in `lua/lib.lua`. Each call carries a token of its own (`op`), so that a call whose
reply was lost can be repeated without a second effect. Needs Redis 7 or Valkey, for the flags that
let scripts run while memory is short.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from banyan.adapters import redis_codec as codec
from banyan.adapters.hints import group
from banyan.adapters.on_redis import whole_ms
from banyan.adapters.redis_connection import RETRY_S, Connection
from banyan.adapters.redis_events import EventReader
from banyan.adapters.redis_listing import RedisListing
from banyan.adapters.redis_records import RedisRecords
from banyan.adapters.redis_scripts import Client, Name, blob, evaluate
from banyan.adapters.redis_totals import RedisTotals
from banyan.adapters.store_rules import (
    CANCELLED,
    DERIVED_KEPT_S,
    MAX_CHILDREN,
    MAX_EVENTS,
    MAX_EXPIRIES,
    TENANT_QUEUED,
    WORKER_LOST,
    too_little,
)
from banyan.budget import Budget
from banyan.errors import Conflict, NotFound, StaleLease
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
    Survey,
    TurnLog,
)
from banyan.quotas import TenantSpending
from banyan.tree import Event, NodeRecord, TreeRecord, TreeStatus, shard_of


class RedisStore:
    """`banyan.ports.Store` on a server. One instance belongs to one event loop.

    `queued_s`: until an unclaimed hint is sent again. `tenant_dispatch`: nodes of one tenant that
    are dispatched at one time, per shard, and `tenant_queued` of these that no worker has yet.
    `retention_s`: how long finished trees are kept; `derived_kept_s`: their derived texts, beyond.
    `logs`: finished trees are queued for the trajectory log (`RedisTrajectoryQueue`).
    `max_events`: how many of a tree's events are kept.
    `retry_s`: how long a call waits for a server that does not answer; with `waits_for_room` also
    for one without memory or disk.
    """

    def __init__(
        self,
        url: str,
        *,
        num_shards: int = 8,
        queued_s: float = 15.0,
        tenant_dispatch: int = 1_024,
        tenant_queued: int = TENANT_QUEUED,
        retention_s: float = 7 * 86_400.0,
        derived_kept_s: float = DERIVED_KEPT_S,
        logs: bool = False,
        max_events: int = MAX_EVENTS,
        namespace: str = "",
        socket_timeout_s: float = 10.0,
        max_connections: int = 32,
        retry_s: float = RETRY_S,
        waits_for_room: bool = False,
    ) -> None:
        self._connection = Connection(
            url,
            socket_timeout_s=socket_timeout_s,
            max_connections=max_connections,
            retry_s=retry_s,
            waits_for_room=waits_for_room,
        )
        self._num_shards = num_shards
        self._keys = codec.Keys(namespace)
        self._records = RedisRecords(self._connection, self._keys)
        self._listing = RedisListing(self._connection, self._keys, num_shards)
        self._reader = EventReader(self._connection, self._keys)
        self._totals = RedisTotals(self._connection, self._run_on_all)
        self._rules = {
            "queued_ms": whole_ms(queued_s),
            "tenant_dispatch": tenant_dispatch,
            "tenant_queued": tenant_queued,
            "retention_ms": whole_ms(retention_s),
            "derived_kept_ms": whole_ms(derived_kept_s),
            "logs": logs,
            "max_events": max_events,
            "max_expiries": MAX_EXPIRIES,
            "worker_lost": codec.dump_outcome(WORKER_LOST),
            "cancelled": codec.dump_outcome(CANCELLED),
        }

    async def admit(self, admission: Admission) -> Admitted:
        if shard_of(admission.tree_id) >= self._num_shards:
            raise ValueError(f"{admission.tree_id} is for more than {self._num_shards} shards")
        reply = await self._run_on_tree(
            "admit",
            admission.tree_id,
            tenant=admission.tenant,
            task=blob(admission.task),
            root=blob(admission.root),
            fingerprint=admission.fingerprint,
            policy=admission.policy,
            tokens=admission.budget.tokens,
            nodes=admission.budget.nodes,
            nano_usd=admission.budget.nano_usd,
            max_parallel=admission.max_parallel,
            deadline_ms=whole_ms(admission.deadline_s),
            notifies=admission.notifies,
        )
        if reply[0] == b"conflict":
            raise Conflict("the same idempotency key was used for another request")
        _, created, ready, *stored = reply
        record = codec.load_admitted(admission.tree_id, *stored)
        return Admitted(created == 1, record, group(codec.load_ready(ready)))

    async def claim(
        self,
        tree_id: str,
        paths: Sequence[str],
        *,
        worker: str,
        lease_s: float,
        reserves: Mapping[str, Reserve],
    ) -> Claims:
        _, now, deadline_at, nodes, ready = await self._run_on_tree(
            "claim",
            tree_id,
            paths=list(dict.fromkeys(paths)),
            worker=worker,
            lease_ms=whole_ms(lease_s),
            reserves={name: (one.tokens, one.nano_usd) for name, one in reserves.items()},
        )
        claimed = (codec.load_claimed(tree_id, now, deadline_at, node) for node in nodes)
        return Claims(tuple(claimed), group(codec.load_ready(ready)))

    async def renew(self, leases: Sequence[Lease], *, lease_s: float) -> Renewal:
        by_shard = codec.by_shard(leases)
        replies = await asyncio.gather(
            *(
                self._run("renew", shard, leases=codec.plain(group_), lease_ms=whole_ms(lease_s))
                for shard, group_ in by_shard.items()
            )
        )
        lost = [
            group_[position]
            for group_, (_, positions) in zip(by_shard.values(), replies, strict=True)
            for position in positions
        ]
        return Renewal(tuple(lost))

    async def turn(self, lease: Lease, log: TurnLog, packed: bytes) -> Budget:
        reply = await self._write(
            "turn", lease, log=codec.dump_log(lease.path, log), packed=blob(packed)
        )
        return codec.load_budget(*reply[1:])

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
        """Create the children and put the node away.

        Raises Conflict, without any effect, unless the node holds after the turn at least what
        `children` and `kept` add up to, plus one node a child. The difference stays with the node.
        """
        if not 1 <= len(children) <= MAX_CHILDREN:
            raise Conflict(f"a node spawns 1 to {MAX_CHILDREN} children, not {len(children)}")
        reply = await self._write(
            "spawn",
            lease,
            children=[
                (
                    blob(child.packed),
                    child.budget.tokens,
                    child.budget.nodes,
                    child.budget.nano_usd,
                    child.policy,
                )
                for child in children
            ],
            packed=blob(packed),
            kept_tokens=kept.tokens,
            kept_nodes=kept.nodes,
            kept_nano_usd=kept.nano_usd,
            log=codec.dump_log(lease.path, log),
            event=codec.dump_event({"node": lease.path, "children": len(children), **event}),
            shared=None if shared is None else (shared[0], blob(shared[1])),
        )
        if reply[0] == b"conflict":
            raise Conflict(too_little(lease.path, codec.load_budget(*reply[1:])))
        return group(codec.load_ready(reply[1]))

    async def finish(
        self, lease: Lease, outcome: Outcome, *, log: TurnLog | None, packed: bytes | None = None
    ) -> list[Hint]:
        reply = await self._write(
            "finish",
            lease,
            outcome=codec.dump_outcome(outcome),
            log=codec.dump_log(lease.path, log),
            packed=None if packed is None else blob(packed),
        )
        return group(codec.load_ready(reply[1]))

    async def release(self, leases: Sequence[Lease]) -> list[Hint]:
        replies = await asyncio.gather(
            *(
                self._run("release", shard, leases=codec.plain(group_))
                for shard, group_ in codec.by_shard(leases).items()
            )
        )
        return group(codec.load_all_ready(replies))

    async def delta(self, lease: Lease, data: Mapping[str, Any]) -> None:
        await self._write("delta", lease, event=codec.dump_event({"node": lease.path, **data}))

    async def derive(self, lease: Lease, document: str) -> None:
        await self._write("derive", lease, document=document)

    async def cancel(self, tree_id: str) -> bool:
        op = _token()
        while True:
            reply = await self._run_on_tree("cancel", tree_id, op=op)
            if reply[0] == b"missing":
                raise NotFound(f"there is no solve {tree_id}")
            _, was_running, num_left = reply
            if num_left == 0:
                return bool(was_running)

    async def resume(
        self, tree_id: str, *, extra: Budget, deadline_s: float, key: str | None = None
    ) -> tuple[bool, list[Hint]]:
        offset = 0
        while num_kept := (
            await self._run_on_tree(
                "keep", tree_id, offset=offset, deadline_ms=whole_ms(deadline_s)
            )
        )[1]:
            offset += num_kept
        reply = await self._run_on_tree(
            "resume",
            tree_id,
            extra_tokens=extra.tokens,
            extra_nodes=extra.nodes,
            extra_nano_usd=extra.nano_usd,
            deadline_ms=whole_ms(deadline_s),
            **({} if key is None else {"op": f"key:{key}"}),
        )
        if reply[0] == b"missing":
            raise NotFound(f"there is no solve {tree_id}")
        if reply[0] == b"conflict":
            raise Conflict("the solve is still running")
        return reply[1] == 1, group(codec.load_ready(reply[2]))

    async def delete(self, tree_id: str, tenant: str) -> bool:
        deleted = False
        while True:
            reply = await self._run_on_tree("delete", tree_id, tenant=tenant)
            if reply[0] == b"conflict":
                raise Conflict("the solve is still running")
            _, is_first, num_left = reply
            deleted = deleted or is_first == 1
            if num_left == 0:
                return deleted

    async def reap(self, *, limit: int = 256) -> list[Hint]:
        """`limit` bounds the expired leases and the overdue hints of each shard."""
        return group(codec.load_all_ready(await self._run_on_all("reap", limit=limit)))

    async def get_tree(self, tree_id: str) -> TreeRecord:
        return await self._records.tree(tree_id)

    async def get_node(self, tree_id: str, path: str) -> NodeRecord:
        return await self._records.node(tree_id, path)

    async def shared(self, tree_id: str, name: str) -> bytes:
        return await self._records.shared(tree_id, name)

    async def list_nodes(
        self, tree_id: str, *, offset: int, limit: int
    ) -> tuple[list[NodeRecord], int]:
        return await self._records.nodes(tree_id, offset=offset, limit=limit)

    async def list_trees(
        self, tenant: str, *, status: TreeStatus | None, after: str | None, limit: int
    ) -> Listing:
        return await self._listing.trees(tenant, status=status, after=after, limit=limit)

    def events(self, tree_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        return self._reader.events(tree_id, after=after)

    async def spending(self, tenant: str) -> TenantSpending:
        return await self._totals.spending(tenant)

    async def now(self) -> float:
        _, now_ms = await self._run("clock", 0)
        return float(now_ms / 1000)

    async def survey(self) -> Survey:
        return await self._totals.survey()

    async def ping(self) -> None:
        async def ask(client: Client) -> None:
            await client.ping()

        await self._connection.run(ask, retry=False)

    async def close(self) -> None:
        await self._reader.close()
        await self._connection.close()

    async def _write(self, name: Name, lease: Lease, **arguments: Any) -> list[Any]:
        """Run a transition under a lease. Raises StaleLease."""
        reply = await self._run_on_tree(
            name, lease.tree_id, path=lease.path, epoch=lease.epoch, **arguments
        )
        if reply[0] == b"stale":
            raise StaleLease(f"node {lease.path} belongs to another worker or was cancelled")
        return reply

    async def _run_on_tree(self, name: Name, tree_id: str, **arguments: Any) -> list[Any]:
        try:
            shard = shard_of(tree_id)
        except ValueError as error:
            raise NotFound(f"there is no solve {tree_id}") from error
        return await self._run(name, shard, tree=tree_id, **arguments)

    async def _run_on_all(self, name: Name, **arguments: Any) -> list[list[Any]]:
        """The replies of all shards, in their order."""
        return await asyncio.gather(
            *(self._run(name, shard, **arguments) for shard in range(self._num_shards))
        )

    async def _run(self, name: Name, shard: int, **arguments: Any) -> list[Any]:
        named = {"op": _token(), "tag": self._keys.tag(shard), **self._rules, **arguments}
        key = self._keys.due(shard)
        return await self._connection.run(lambda client: evaluate(client, name, key, named))


def _token() -> str:
    return secrets.token_hex(8)
