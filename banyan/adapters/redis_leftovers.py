"""The leftovers in Redis or Valkey: texts of trees that are gone, in `:leftovers` of each shard."""

from __future__ import annotations

from banyan.adapters.on_redis import OnShards, whole_ms
from banyan.ports import Leftover
from banyan.tree import shard_of


class RedisLeftovers(OnShards):
    """`banyan.ports.Leftovers` on a server."""

    def _key(self, shard: int) -> str:
        return self._keys.leftovers(shard)

    async def take(self, *, lease_s: float, limit: int) -> list[Leftover]:
        """See `Leftovers.take`; `limit` is of each shard."""
        replies = await self._run_on_all("leftovers_take", lease_ms=whole_ms(lease_s), limit=limit)
        return [_load(entry, documents) for _, found in replies for entry, documents in found]

    async def done(self, leftover: Leftover) -> None:
        await self._run(
            "leftovers_settle",
            shard_of(leftover.tree_id),
            entry=leftover.key,
            documents=leftover.documents,
        )


def _load(entry: bytes, documents: list[bytes]) -> Leftover:
    key = entry.decode()
    tree_id, _, tenant = key.split("|", 2)
    return Leftover(key, tree_id, tenant, tuple(document.decode() for document in documents))
