"""Hints over Celery: a message says which nodes of which tree to look at, and nothing else.

A hint may be lost, so that sending never holds anyone up: a thread of its own talks to the broker,
tries twice and gives up with a line in the log; the reaper sends what is overdue again. Celery's
broker is a standalone Redis or Valkey, or Sentinel; it cannot be a Cluster.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import structlog
from kombu.connection import Connection

from banyan.adapters.hint_message import hint_message
from banyan.adapters.hint_transport import CONNECT_S, OPTIONS, transport_for
from banyan.ports import Hint

LOOK = "banyan.look"
"""The one task: `look(tree_id, paths)`."""
CONTINUATIONS = "banyan.continuations"
CHILDREN = "banyan.children"

MAX_PATHS = 64
MAX_WAITING = 10_000
MAX_AT_ONCE = 64
CLOSE_S = 10

log = structlog.get_logger("banyan.queue")

_Message = tuple[str, str, list[str]]
"""Name of the queue, id of the tree, paths of its nodes."""


class CeleryQueue:
    """`banyan.ports.Queue` on Celery's broker.

    Messages are pushed as Celery itself would push them, all that wait at one time in one go.
    """

    def __init__(
        self, broker_url: str, *, transport_options: Mapping[str, object] | None = None
    ) -> None:
        """`transport_options` are kombu's, such as `{"master_name": "mymaster"}` with Sentinel."""
        self._broker_url = broker_url
        self._transport_options = {**OPTIONS, **(transport_options or {})}
        self._waiting: queue.SimpleQueue[_Message | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def send(self, hints: Sequence[Hint]) -> None:
        """Hand `hints` to the sender and return at once; what does not fit is dropped."""
        if self._closed:
            raise RuntimeError("the queue is closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hints", daemon=True)
            self._thread.start()
        for message in _messages(hints):
            if self._waiting.qsize() >= MAX_WAITING:
                log.warning("hint.dropped", tree_id=message[1], reason="too many are waiting")
            else:
                self._waiting.put(message)

    async def close(self) -> None:
        """Send what is waiting, for at most CLOSE_S seconds, and end the sender."""
        self._closed = True
        if self._thread is not None:
            self._waiting.put(None)
            await asyncio.to_thread(self._thread.join, CLOSE_S)
            self._thread = None

    def _run(self) -> None:
        with _Broker(self._broker_url, self._transport_options) as broker:
            while batch := self._next():
                try:
                    broker.push(batch)
                except Exception as first:  # noqa: BLE001  # brokers raise what they like
                    _push_again(broker, batch, first)

    def _next(self) -> list[_Message]:
        """What waits, in order, once something does; empty at the end."""
        batch: list[_Message] = []
        message = self._waiting.get()
        while message is not None:
            batch.append(message)
            if len(batch) == MAX_AT_ONCE or self._waiting.empty():
                return batch
            message = self._waiting.get()
        self._waiting.put(None)  # the end comes after what was before it
        return batch


class _Broker:
    """A connection of the sender's thread, made at first use and again after an error."""

    def __init__(self, url: str, transport_options: Mapping[str, object]) -> None:
        self._url = url
        self._transport_options = transport_options
        self._connection: Any = None
        self._client: Any = None

    def push(self, batch: Sequence[_Message]) -> None:
        """Raises whatever the broker's library does."""
        by_queue: dict[str, list[bytes]] = {}
        for name, tree_id, paths in batch:
            log.debug("hint.sent", queue=name, tree_id=tree_id, nodes=len(paths), first=paths[:1])
            message = hint_message(LOOK, name, tree_id, paths)
            by_queue.setdefault(name, []).append(message)
        try:
            if self._client is None:
                self._connect()
            for name, messages in by_queue.items():
                self._client.lpush(name, *messages)
        except BaseException:
            self._disconnect()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._disconnect()

    def _connect(self) -> None:
        self._connection = Connection(  # type: ignore[no-untyped-call]  # not typed upstream
            self._url,
            transport=transport_for(self._url),
            transport_options=dict(self._transport_options),
            connect_timeout=CONNECT_S,
        )
        self._client = self._connection.channel().client

    def _disconnect(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.release()


def _push_again(broker: _Broker, batch: Sequence[_Message], first: Exception) -> None:
    """A connection that broke while idle is noticed only when it is used."""
    try:
        broker.push(batch)
    except Exception as second:  # noqa: BLE001  # brokers raise what they like
        errors = [type(first).__name__, type(second).__name__]
        for _, tree_id, _ in batch:
            log.warning("hint.lost", tree_id=tree_id, errors=errors)


def _messages(hints: Sequence[Hint]) -> Iterator[_Message]:
    for hint in hints:
        name = CONTINUATIONS if hint.continuation else CHILDREN
        for start in range(0, len(hint.paths), MAX_PATHS):
            yield name, hint.tree_id, list(hint.paths[start : start + MAX_PATHS])
