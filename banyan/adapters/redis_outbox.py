"""The outbox in Redis or Valkey: what FINISH put into `:outbox` of each shard."""

from __future__ import annotations

import asyncio
from typing import Any

from banyan.adapters import redis_codec as codec
from banyan.adapters.redis_connection import Connection
from banyan.adapters.redis_scripts import Name, evaluate
from banyan.ports import Notice
from banyan.tree import shard_of


class RedisOutbox:
    """`banyan.ports.Outbox` on a server. One instance belongs to one event loop."""

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

    async def take(self, *, lease_s: float, limit: int) -> list[Notice]:
        """See `Outbox.take`; `limit` is of each shard."""
        replies = await asyncio.gather(
            *(
                self._run("outbox_take", shard, lease_ms=round(lease_s * 1000), limit=limit)
                for shard in range(self._num_shards)
            )
        )
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

    async def close(self) -> None:
        await self._connection.close()

    async def _settle(self, notice: Notice, *, delay_ms: int) -> None:
        await self._run(
            "outbox_settle",
            shard_of(notice.tree_id),
            entry=f"{notice.tree_id}|{notice.generation}",
            delay_ms=delay_ms,
        )

    async def _run(self, name: Name, shard: int, **arguments: Any) -> list[Any]:
        named = {"tag": self._keys.tag(shard), **arguments}
        key = self._keys.outbox(shard)
        return await self._connection.run(lambda client: evaluate(client, name, key, named))
