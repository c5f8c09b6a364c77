"""The trajectory queue in Redis or Valkey: the trees that FINISH put into `:log` of their shard."""

from __future__ import annotations

import asyncio
from typing import Any

from banyan.adapters import redis_codec as codec
from banyan.adapters.redis_connection import Connection
from banyan.adapters.redis_records import RedisRecords
from banyan.adapters.redis_scripts import Client, Name, evaluate
from banyan.errors import NotFound
from banyan.ports import FinishedTree, StoredNode, Taken
from banyan.tree import TreeRecord, shard_of


class RedisTrajectoryQueue:
    """`banyan.ports.TrajectoryQueue` on a server. One instance belongs to one event loop."""

    def __init__(
        self,
        url: str,
        *,
        num_shards: int = 8,
        namespace: str = "",
        socket_timeout_s: float = 10.0,
    ) -> None:
        self._connection = Connection(url, socket_timeout_s=socket_timeout_s, max_connections=4)
        self._num_shards = num_shards
        self._keys = codec.Keys(namespace)
        self._records = RedisRecords(self._connection, self._keys)

    async def take(self, *, lease_s: float, limit: int) -> Taken:
        """See `TrajectoryQueue.take`; `limit` is of each shard."""
        lease_ms = round(lease_s * 1000)
        replies = await asyncio.gather(
            *(
                self._run("log_take", shard, lease_ms=lease_ms, limit=limit)
                for shard in range(self._num_shards)
            )
        )
        entries = [entry.decode().rpartition("|") for _, taken, _ in replies for entry in taken]
        return Taken(
            trees=tuple(FinishedTree(tree, int(generation)) for tree, _, generation in entries),
            num_lost=sum(lost for _, _, lost in replies),
        )

    async def acknowledge(self, tree: FinishedTree) -> None:
        key = self._keys.log(shard_of(tree.tree_id))

        async def forget(client: Client) -> None:
            await client.zrem(key, f"{tree.tree_id}|{tree.generation}")

        await self._connection.run(forget)

    async def tree(self, tree_id: str) -> TreeRecord:
        return await self._records.tree(tree_id)

    async def nodes(self, tree_id: str, *, offset: int, limit: int) -> tuple[StoredNode, ...]:
        status, found = await self._run(
            "log_nodes", shard_of(tree_id), tree=tree_id, offset=offset, limit=limit
        )
        if status != b"ok":
            raise NotFound(f"node {found.decode()} of solve {tree_id} has expired")
        return tuple(_stored(path, fields, turns) for path, fields, turns in found)

    async def shared(self, tree_id: str, name: str) -> bytes:
        return await self._records.shared(tree_id, name)

    async def close(self) -> None:
        await self._connection.close()

    async def _run(self, name: Name, shard: int, **arguments: Any) -> list[Any]:
        named = {"tag": self._keys.tag(shard), **arguments}
        key = self._keys.log(shard)
        return await self._connection.run(lambda client: evaluate(client, name, key, named))


def _stored(path: bytes, fields: list[bytes | None], turns: list[bytes]) -> StoredNode:
    packed, queued_at, claimed_at, finished_at, outcome = fields
    return StoredNode(
        path=path.decode(),
        packed=packed or b"",
        outcome=outcome,
        turns=tuple(turns),
        queued_at=_seconds(queued_at) or 0.0,
        claimed_at=_seconds(claimed_at),
        finished_at=_seconds(finished_at),
    )


def _seconds(ms: bytes | None) -> float | None:
    return None if ms is None else int(ms) / 1000
