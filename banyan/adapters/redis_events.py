"""Events to many subscribers over one blocking connection a shard.

History is read with XRANGE; what happens later comes from the shard's `StreamReader`. Sequence
numbers have no gaps, so a subscriber that sees one was too slow for its bounded queue and reads
what it missed from the stream: memory stays bounded and nothing is lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from banyan.adapters.redis_codec import Keys, load_event
from banyan.adapters.redis_connection import Connection
from banyan.adapters.redis_reader import StreamReader, Subscription
from banyan.adapters.redis_scripts import Client
from banyan.adapters.store_rules import trimmed
from banyan.errors import NotFound
from banyan.tree import FINAL, Event, is_tree_id, shard_of

_BATCH = 500


class EventReader:
    """All subscriptions of one process."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._readers: dict[int, StreamReader] = {}

    async def events(self, tree_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        """Events with `seq > after` as they happen, until the tree has finished for now.

        Raises NotFound, EventsTrimmed, and StoreUnavailable where the server stays away.
        """
        if not is_tree_id(tree_id):
            raise NotFound(f"there is no solve {tree_id}")
        subscription: Subscription | None = None
        try:
            while True:
                # The status is read before the events: if it is final, they are all there.
                status, history = await self._history(tree_id, after)
                for event in history:
                    if event.seq != after + 1:
                        raise trimmed(tree_id)
                    after = event.seq
                    yield event
                if history:
                    continue
                if status in FINAL:
                    return
                if subscription is None:
                    subscription = await self._subscribe(tree_id, after)
                    continue  # what happened in between stands in the stream
                while (live := await subscription.next(after)) is not None:
                    after = live.seq
                    yield live
                    if live.type == "tree.finished":
                        break
        finally:
            if subscription is not None:
                subscription.close()

    async def close(self) -> None:
        for reader in self._readers.values():
            await reader.close()
        self._readers.clear()

    async def _subscribe(self, tree_id: str, after: int) -> Subscription:
        shard = shard_of(tree_id)
        if shard not in self._readers:
            self._readers[shard] = StreamReader(self._connection, self._keys.tag(shard))
        return await self._readers[shard].subscribe(self._keys.events(tree_id), after)

    async def _history(self, tree_id: str, after: int) -> tuple[str, list[Event]]:
        async def ask(client: Client) -> list[Any]:
            async with client.pipeline(transaction=False) as pipe:
                pipe.hget(self._keys.tree(tree_id), "status")
                pipe.xrange(self._keys.events(tree_id), min=f"({after}-0", count=_BATCH)
                return list(await pipe.execute())

        status, entries = await self._connection.run(ask)
        if status is None:
            raise NotFound(f"there is no solve {tree_id}")
        return status.decode(), [load_event(entry) for entry in entries]
