"""A page of nodes is read in pieces, so that neither server nor event loop is held up by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Self, cast

import pytest

from banyan.adapters.redis_codec import NODE_FIELDS, Keys
from banyan.adapters.redis_connection import Connection
from banyan.adapters.redis_records import PIECE, RedisRecords
from banyan.adapters.redis_scripts import Client
from banyan.tree import tree_id

TREE = tree_id("acme", "k", 1)
NUMBERS = (b"generation", b"epoch", b"attempts", b"tokens", b"nodes", b"nano_usd")
VALUES = dict.fromkeys((*NUMBERS, b"num_children", b"queued_at"), b"1")


class Pipe:
    """A pipeline to a server that has one tree: node number n is `0.n`, and every tenth is gone."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._replies: list[Any] = []

    def llen(self, _: str) -> None:
        self._replies.append(self._server.num_nodes)

    def lrange(self, _: str, first: int, last: int) -> None:
        numbers = range(self._server.num_nodes)[first : last + 1]
        self._replies.append([f"0.{number}".encode() for number in numbers])

    def hmget(self, key: str, names: Sequence[bytes]) -> None:
        kept = {**VALUES, b"policy": b"base", b"status": b"queued"}
        is_gone = key.endswith("0")
        self._replies.append([None if is_gone else kept.get(name) for name in names])

    async def execute(self) -> list[Any]:
        self._server.trips.append(len(self._replies))
        return self._replies

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


class Server:
    """Stands for a connection and its server; `trips` are commands of each round trip."""

    def __init__(self, num_nodes: int) -> None:
        self.num_nodes = num_nodes
        self.trips: list[int] = []

    async def run(self, operation: Callable[[Client], Awaitable[list[Any]]]) -> list[Any]:
        return await operation(cast("Client", self))

    def pipeline(self, *, transaction: bool) -> Pipe:
        assert not transaction
        return Pipe(self)


@pytest.mark.parametrize(
    ("num_nodes", "offset", "limit", "pieces"),
    [
        (3_000, 0, 1_000, [PIECE] * 8),
        (100_000, 50_000, 1_000, [PIECE] * 8),
        (3_000, 0, 100, [100]),
        (300, 0, 1_000, [PIECE, PIECE, 50]),
        (300, 300, 100, []),
    ],
)
async def test_no_round_trip_asks_for_more_than_a_piece_however_large_the_tree_is(
    num_nodes: int, offset: int, limit: int, pieces: list[int]
) -> None:
    server = Server(num_nodes)
    records = RedisRecords(cast("Connection", server), Keys(""))
    found, total = await records.nodes(TREE, offset=offset, limit=limit)

    assert server.trips == [2, *pieces]
    assert total == num_nodes
    there = range(offset, min(offset + limit, num_nodes))
    assert [node.path for node in found] == [f"0.{n}" for n in there if n % 10]
    assert set(VALUES) < set(NODE_FIELDS)
