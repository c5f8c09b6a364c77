"""The leftovers' twin: texts of trees that the in-memory store keeps no more."""

from __future__ import annotations

from banyan.adapters.memory_store import MemoryStore
from banyan.ports import Leftover


class MemoryLeftovers:
    """`banyan.ports.Leftovers` of a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._forest = store.forest

    async def take(self, *, lease_s: float, limit: int) -> list[Leftover]:
        forest, now = self._forest, self._forest.clock()
        due = [one for one, at in forest.leftovers.items() if at <= now][:limit]
        for leftover in due:
            forest.leftovers[leftover] = now + lease_s
        return due

    async def done(self, leftover: Leftover) -> None:
        self._forest.leftovers.pop(leftover, None)

    async def close(self) -> None:
        """Nothing to close."""
