"""The trajectory queue in Redis or Valkey: the trees that FINISH put into `:log` of their shard."""

from __future__ import annotations

from functools import cached_property

from banyan.adapters.on_redis import OnShards
from banyan.adapters.redis_records import RedisRecords
from banyan.errors import NotFound
from banyan.ports import FinishedTree, StoredNode, Taken
from banyan.tree import TreeRecord, shard_of


class RedisTrajectoryQueue(OnShards):
    """`banyan.ports.TrajectoryQueue` on a server."""

    def _key(self, shard: int) -> str:
        return self._keys.log(shard)

    @cached_property
    def _records(self) -> RedisRecords:
        return RedisRecords(self._connection, self._keys)

    async def take(self, *, lease_s: float, limit: int) -> Taken:
        """See `TrajectoryQueue.take`; `limit` is of each shard."""
        replies = await self._run_on_all("log_take", lease_ms=round(lease_s * 1000), limit=limit)
        entries = [entry.decode().rpartition("|") for _, taken, _ in replies for entry in taken]
        return Taken(
            trees=tuple(FinishedTree(tree, int(generation)) for tree, _, generation in entries),
            num_lost=sum(lost for _, _, lost in replies),
        )

    async def acknowledge(self, tree: FinishedTree) -> None:
        key = self._key(shard_of(tree.tree_id))
        await self._command("ZREM", key, f"{tree.tree_id}|{tree.generation}")

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
