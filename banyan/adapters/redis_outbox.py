"""The outbox in Redis or Valkey: what FINISH put into `:outbox` of each shard."""

from __future__ import annotations

from banyan.adapters.on_redis import OnShards
from banyan.ports import Notice
from banyan.tree import shard_of


class RedisOutbox(OnShards):
    """`banyan.ports.Outbox` on a server."""

    def _key(self, shard: int) -> str:
        return self._keys.outbox(shard)

    async def take(self, *, lease_s: float, limit: int) -> list[Notice]:
        """See `Outbox.take`; `limit` is of each shard."""
        replies = await self._run_on_all("outbox_take", lease_ms=round(lease_s * 1000), limit=limit)
        notices = []
        for _, found in replies:
            for entry, num_attempts in found:
                tree_id, _, generation = entry.decode().rpartition("|")
                notices.append(Notice(tree_id, int(generation), num_attempts))
        return notices

    async def done(self, notice: Notice) -> None:
        await self._settle(notice, delay_ms=-1)

    async def again(self, notice: Notice, delay_s: float) -> None:
        await self._settle(notice, delay_ms=max(0, round(delay_s * 1000)))

    async def _settle(self, notice: Notice, *, delay_ms: int) -> None:
        await self._run(
            "outbox_settle",
            shard_of(notice.tree_id),
            entry=f"{notice.tree_id}|{notice.generation}",
            delay_ms=delay_ms,
        )
