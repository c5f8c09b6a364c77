"""Deltas of the root's answer, gathered into few events while the engine still generates."""

from __future__ import annotations

import asyncio

from banyan.partial_answer import AnswerStream, PlainStream
from banyan.ports import Lease, Store

_FLUSH_S = 0.1


class AnswerDeltas:
    """Feed it the engine's pieces; it appends `answer.delta` events with `text` and `offset`.

    A client keeps `answer[:offset] + text`, so that a turn that runs again needs no event of its
    own: its first delta has offset 0. `plain`: the pieces are the answer, not JSON that holds it.
    """

    def __init__(self, store: Store, lease: Lease, *, plain: bool) -> None:
        self._store = store
        self._lease = lease
        self._read = PlainStream().feed if plain else AnswerStream().feed
        self._waiting: list[str] = []
        self._offset = 0
        self._flushed_at = -_FLUSH_S

    async def feed(self, piece: str) -> None:
        """Take a piece of what is generated; send what has gathered, at most every 0.1 s."""
        text = self._read(piece)
        if text:
            self._waiting.append(text)
        if asyncio.get_running_loop().time() - self._flushed_at >= _FLUSH_S:
            await self.flush()

    async def flush(self) -> None:
        """Send what has gathered."""
        text = "".join(self._waiting)
        if not text:
            return
        self._waiting.clear()
        await self._store.delta(self._lease, {"offset": self._offset, "text": text})
        self._offset += len(text)
        self._flushed_at = asyncio.get_running_loop().time()
