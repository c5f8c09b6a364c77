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

import structlog
from celery import Celery
from kombu.entity import Exchange, Queue

from banyan.adapters.hint_transport import OPTIONS, transport_for
from banyan.ports import Hint

LOOK = "banyan.look"
"""The one task: `look(tree_id, paths)`."""
CONTINUATIONS = "banyan.continuations"
CHILDREN = "banyan.children"

MAX_PATHS = 64
MAX_WAITING = 10_000
CONNECT_S = 2
REPLY_S = 5
CLOSE_S = 10

log = structlog.get_logger("banyan.queue")

_Message = tuple[str, str, list[str]]
"""Name of the queue, id of the tree, paths of its nodes."""


def celery_app(broker_url: str, transport_options: Mapping[str, object] | None = None) -> Celery:
    """The Celery application that senders and workers share. JSON only, no results, no retries.

    `transport_options` are kombu's, for example `{"master_name": "mymaster"}` with Sentinel.
    """
    app = Celery("banyan", broker=broker_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        result_backend=None,
        task_publish_retry=False,
        task_default_queue=CHILDREN,
        task_queues=[_queue(CONTINUATIONS), _queue(CHILDREN)],
        broker_connection_timeout=CONNECT_S,
        broker_connection_retry=False,
        broker_transport=transport_for(broker_url),
        broker_transport_options={
            **OPTIONS,
            "socket_connect_timeout": CONNECT_S,
            "socket_timeout": REPLY_S,
            "max_retries": 1,
            **(transport_options or {}),
        },
    )
    return app


def _queue(name: str) -> Queue:
    """A queue with an exchange of its own: Celery's default one would bind both to one key."""
    return Queue(name, Exchange(name), name)  # type: ignore[no-untyped-call]  # not typed upstream


class CeleryQueue:
    """`banyan.ports.Queue` on Celery's broker."""

    def __init__(
        self, broker_url: str, *, transport_options: Mapping[str, object] | None = None
    ) -> None:
        self._app = celery_app(broker_url, transport_options)
        self._waiting: queue.Queue[_Message | None] = queue.Queue(MAX_WAITING)
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
            try:
                self._waiting.put_nowait(message)
            except queue.Full:
                log.warning("hint.dropped", tree_id=message[1], reason="too many are waiting")

    async def close(self) -> None:
        """Send what is waiting, for at most CLOSE_S seconds, and end the sender."""
        self._closed = True
        if self._thread is not None:
            await asyncio.to_thread(self._stop, self._thread)
            self._thread = None
        await asyncio.to_thread(self._app.close)

    def _stop(self, thread: threading.Thread) -> None:
        try:
            self._waiting.put(None, timeout=CLOSE_S)
        except queue.Full:
            return  # the thread is a daemon and the process is about to end
        thread.join(CLOSE_S)

    def _run(self) -> None:
        while (message := self._waiting.get()) is not None:
            try:
                self._publish(message)
            except Exception as first:  # noqa: BLE001  # brokers raise what they like
                self._publish_again(message, first)

    def _publish_again(self, message: _Message, first: Exception) -> None:
        """A connection that broke while idle is noticed only when it is used."""
        try:
            self._publish(message)
        except Exception as second:  # noqa: BLE001  # brokers raise what they like
            log.warning(
                "hint.lost",
                tree_id=message[1],
                errors=[type(first).__name__, type(second).__name__],
            )

    def _publish(self, message: _Message) -> None:
        name, tree_id, paths = message
        log.debug("hint.sent", queue=name, tree_id=tree_id, nodes=len(paths), first=paths[:1])
        self._app.send_task(
            LOOK, args=[tree_id, paths], queue=name, ignore_result=True, retry=False
        )


def _messages(hints: Sequence[Hint]) -> Iterator[_Message]:
    for hint in hints:
        name = CONTINUATIONS if hint.continuation else CHILDREN
        for start in range(0, len(hint.paths), MAX_PATHS):
            yield name, hint.tree_id, list(hint.paths[start : start + MAX_PATHS])
