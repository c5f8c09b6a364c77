"""The ledger in the memory of one process: the twin of `redis_ledger.py`."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from banyan.ports import Entry


@dataclass(slots=True)
class _Counted:
    nodes: int
    until: float
    is_kept: bool = False


class MemoryLedger:
    """`banyan.ports.Ledger` without a server. `clock` tells seconds since the epoch."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._now = clock
        self._trees: dict[str, dict[str, _Counted]] = defaultdict(dict)

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
        now, kept = self._now(), self._trees[tenant]
        for gone in [name for name, one in kept.items() if one.until <= now]:
            del kept[gone]
        held = sum(one.nodes for one in kept.values())
        names = tuple(name for name, one in kept.items() if one.is_kept)
        if tree_id in kept:
            return Entry(True, False, len(kept), held, names)
        too_many = max_trees is not None and len(kept) >= max_trees
        if too_many or (max_nodes is not None and held + nodes > max_nodes):
            return Entry(False, False, len(kept), held, names)
        kept[tree_id] = _Counted(nodes, now + ttl_s)
        return Entry(True, True, len(kept), held + nodes, names)

    async def keep(self, tenant: str, tree_id: str, *, ttl_s: float) -> None:
        counted = self._trees[tenant].get(tree_id)
        if counted is not None:
            counted.until, counted.is_kept = self._now() + ttl_s, True

    async def release(self, tenant: str, *tree_ids: str) -> None:
        for tree_id in tree_ids:
            self._trees[tenant].pop(tree_id, None)

    async def close(self) -> None:
        """Nothing to close."""
