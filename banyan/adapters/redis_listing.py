"""Lists of a tenant's trees. Each shard has its own, written by the transitions themselves.

A member is the time of admission (milliseconds, 15 digits) and the tree's id, so that the order of
bytes is that of admission, within a shard and over all of them; a place in the list is a member.
"""

from __future__ import annotations

import heapq
from typing import Any

from banyan.adapters import redis_codec as codec
from banyan.adapters.redis_connection import Connection
from banyan.adapters.redis_records import in_one_trip
from banyan.ports import Listing
from banyan.tree import TreeStatus


class RedisListing:
    """Two round trips to each list: which trees, then what they are."""

    def __init__(self, connection: Connection, keys: codec.Keys, num_shards: int) -> None:
        self._connection = connection
        self._keys = keys
        self._num_shards = num_shards

    async def trees(
        self, tenant: str, *, status: TreeStatus | None, after: str | None, limit: int
    ) -> Listing:
        """See `Store.list_trees`."""

        def ask_ids(pipe: Any) -> None:
            for shard in range(self._num_shards):
                key = self._keys.solves(shard, tenant, status)
                pipe.zrevrangebylex(key, f"({after}" if after else "+", "-", 0, limit + 1)

        found = await self._connection.run(in_one_trip(ask_ids))
        merged = heapq.merge(*found, reverse=True)
        members = [member.decode() for member, _ in zip(merged, range(limit + 1), strict=False)]
        shown = members[:limit]
        ids = [member.partition("|")[2] for member in shown]

        def ask_trees(pipe: Any) -> None:
            for tree_id in ids:
                pipe.hgetall(self._keys.tree(tree_id))

        rows = await self._connection.run(in_one_trip(ask_trees)) if ids else []
        trees = tuple(
            codec.load_tree(tree_id, fields, None)
            for tree_id, fields in zip(ids, rows, strict=True)
            if fields and b"deleted" not in fields
        )
        return Listing(trees, shown[-1] if len(members) > limit else None)
