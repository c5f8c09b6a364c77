"""Slots: how many nodes a worker runs at one time, handed out several at once."""

from __future__ import annotations

import asyncio


class Slots:
    """A counter of free slots. First come, first served."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._changed = asyncio.Condition()
        self._notify: set[asyncio.Task[None]] = set()

    @property
    def free(self) -> int:
        return self._free

    @property
    def total(self) -> int:
        return self._total

    def resize(self, total: int) -> None:
        """Have more of them at once, or fewer as nodes end: what runs is not stopped."""
        added, self._total = total - self._total, total
        if added > 0:
            self.give(added)
        else:
            self._free += added

    async def take(self, at_most: int) -> int:
        """Wait for a free slot, then take as many as are free, up to `at_most`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._free > 0)
            return self.take_now(at_most)

    def take_now(self, at_most: int) -> int:
        """Take as many as are free, up to `at_most`; perhaps none, as while fewer are wanted."""
        taken = max(0, min(self._free, at_most))
        self._free -= taken
        return taken

    def give(self, count: int) -> None:
        """Give slots back. Never waits, so that it can stand in a `finally`."""
        if count <= 0:
            return
        self._free += count
        task = asyncio.create_task(self._wake())
        self._notify.add(task)
        task.add_done_callback(self._notify.discard)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()
