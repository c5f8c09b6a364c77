"""Reads of trees and nodes, one round trip each, outside of any transition."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from banyan.adapters import redis_codec as codec
from banyan.adapters.lru import Lru
from banyan.adapters.redis_connection import Connection
from banyan.adapters.redis_scripts import Client
from banyan.errors import NotFound
from banyan.node import ROOT_PATH
from banyan.tree import NodeRecord, TreeRecord, is_tree_id

_CACHED_BYTES = 32 * 1024 * 1024
"""Of shared states that are kept, so that a thousand siblings do not load theirs each."""

PIECE = 125
"""Nodes that are read and decoded in one go: nothing else is done on this event loop meanwhile, and
a server sends no more than 64 KiB of a reply before it serves others."""


class RedisRecords:
    """All methods raise NotFound for trees and nodes that are not there."""

    def __init__(self, connection: Connection, keys: codec.Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._shared: Lru[tuple[str, str], bytes] = Lru(_CACHED_BYTES)

    async def tree(self, tree_id: str) -> TreeRecord:
        _check(tree_id)
        root = self._keys.node(tree_id, ROOT_PATH)

        def ask(pipe: Any) -> None:
            pipe.hgetall(self._keys.tree(tree_id))
            pipe.hget(root, "outcome")
            pipe.xrange(self._keys.events(tree_id), count=1)

        fields, outcome, first = await self._connection.run(in_one_trip(ask))
        if not fields or b"deleted" in fields:
            raise NotFound(f"there is no solve {tree_id}")
        return codec.load_tree(tree_id, fields, outcome, first)

    async def node(self, tree_id: str, path: str) -> NodeRecord:
        _check(tree_id)

        def ask(pipe: Any) -> None:
            pipe.hgetall(self._keys.node(tree_id, path))
            pipe.lrange(self._keys.turns(tree_id, path), 0, -1)

        fields, turns = await self._connection.run(in_one_trip(ask))
        if not fields:
            raise NotFound(f"solve {tree_id} has no node {path}")
        return codec.load_node(path, fields, turns)

    async def shared(self, tree_id: str, name: str) -> bytes:
        """What siblings share. It never changes, so that a process asks for it once."""
        _check(tree_id)
        key = (self._keys.shared(tree_id), name)
        if (known := self._shared.get(key)) is not None:
            return known

        def ask(pipe: Any) -> None:
            pipe.hget(*key)

        [found] = await self._connection.run(in_one_trip(ask))
        if found is None:
            raise NotFound(f"solve {tree_id} has no shared state {name}")
        packed = bytes(found)
        self._shared.put(key, packed, len(packed))
        return packed

    async def nodes(self, tree_id: str, *, offset: int, limit: int) -> tuple[list[NodeRecord], int]:
        """Two round trips: which nodes, then what they are, in pieces beside one another."""
        _check(tree_id)
        key = self._keys.nodes(tree_id)

        def ask_paths(pipe: Any) -> None:
            pipe.llen(key)
            # A range that ends before it starts is empty, as a page of no nodes should be.
            pipe.lrange(key, offset, offset + limit - 1 if limit else -(2**31))

        total, paths = await self._connection.run(in_one_trip(ask_paths))
        if not total:
            raise NotFound(f"there is no solve {tree_id}")

        pieces = await asyncio.gather(
            *(
                self._piece(tree_id, [path.decode() for path in paths[start : start + PIECE]])
                for start in range(0, len(paths), PIECE)
            )
        )
        return [record for piece in pieces for record in piece], total

    async def _piece(self, tree_id: str, paths: Sequence[str]) -> list[NodeRecord]:
        """Those of these nodes that are there."""

        def ask(pipe: Any) -> None:
            for path in paths:
                pipe.hmget(self._keys.node(tree_id, path), codec.NODE_FIELDS)

        records = []
        for path, row in zip(paths, await self._connection.run(in_one_trip(ask)), strict=True):
            pairs = zip(codec.NODE_FIELDS, row, strict=True)
            fields = {name: value for name, value in pairs if value is not None}
            if fields:
                records.append(codec.load_node(path, fields))
        return records


def in_one_trip(ask: Callable[[Any], None]) -> Callable[[Client], Awaitable[list[Any]]]:
    """An operation that sends all that `ask` puts into a pipeline, and returns the replies."""

    async def operation(client: Client) -> list[Any]:
        async with client.pipeline(transaction=False) as pipe:
            ask(pipe)
            return list(await pipe.execute())

    return operation


def _check(tree_id: str) -> None:
    if not is_tree_id(tree_id):
        raise NotFound(f"there is no solve {tree_id}")
