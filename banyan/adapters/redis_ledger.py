"""The ledger in Redis or Valkey: each tenant in a hash slot of its own."""

from __future__ import annotations

from typing import Any

from banyan.adapters.on_redis import OnRedis, whole_ms
from banyan.adapters.redis_scripts import Name
from banyan.ports import Entry


class RedisLedger(OnRedis):
    """`banyan.ports.Ledger` on a server."""

    async def reserve(
        self,
        tenant: str,
        tree_id: str,
        *,
        nodes: int,
        max_trees: int | None,
        max_nodes: int | None,
        ttl_s: float,
    ) -> Entry:
        _, granted, new, num_trees, num_nodes, kept = await self._run(
            "ledger_reserve",
            tenant,
            tree=tree_id,
            nodes=nodes,
            max_trees=-1 if max_trees is None else max_trees,
            max_nodes=-1 if max_nodes is None else max_nodes,
            ttl_ms=whole_ms(ttl_s),
        )
        names = tuple(name.decode() for name in kept)
        return Entry(granted == 1, new == 1, num_trees, num_nodes, names)

    async def keep(self, tenant: str, tree_id: str, *, ttl_s: float) -> None:
        await self._run("ledger_keep", tenant, tree=tree_id, ttl_ms=whole_ms(ttl_s))

    async def release(self, tenant: str, *tree_ids: str) -> None:
        if tree_ids:
            await self._run("ledger_release", tenant, trees=tree_ids)

    async def _run(self, name: Name, tenant: str, **arguments: Any) -> list[Any]:
        tag = f"{{{self._namespace}tenant:{tenant}}}"
        return await self._script(name, f"{tag}:trees", tag, arguments)
