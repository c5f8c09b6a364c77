"""The outbox's twin: notices of the in-memory store."""

from __future__ import annotations

from banyan.adapters.memory_store import MemoryStore
from banyan.ports import Notice


class MemoryOutbox:
    """`banyan.ports.Outbox` of a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._forest = store.forest
        self._attempts: dict[tuple[str, int], int] = {}

    async def take(self, *, lease_s: float, limit: int) -> list[Notice]:
        forest, now = self._forest, self._forest.clock()
        due = [key for key, at in forest.outbox.items() if at <= now][:limit]
        for key in due:
            forest.outbox[key] = now + lease_s
            self._attempts[key] = self._attempts.get(key, 0) + 1
        return [Notice(*key, self._attempts[key]) for key in due]

    async def done(self, notice: Notice) -> None:
        key = (notice.tree_id, notice.generation)
        self._forest.outbox.pop(key, None)
        self._attempts.pop(key, None)

    async def again(self, notice: Notice, delay_s: float) -> None:
        key = (notice.tree_id, notice.generation)
        if key in self._forest.outbox:
            self._forest.outbox[key] = self._forest.clock() + delay_s

    async def close(self) -> None:
        """Nothing to close."""
