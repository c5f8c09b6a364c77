"""How Celery's messages travel over Redis here: by kombu's own transport, but they may be lost.

A consumer that meets a server without memory or disk connects again, as to one that is away;
kombu takes such a reply for an error of the program, which ends the worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from kombu.transport import redis as kombu_redis
from redis.exceptions import ResponseError

CONNECT_S = 2
_REPLY_S = 5

OPTIONS: Mapping[str, object] = {
    "ack_emulation": False,
    "max_retries": 1,
    "socket_connect_timeout": CONNECT_S,
    "socket_timeout": _REPLY_S,
}
"""kombu's. No copy of a message is kept in Redis until it is acknowledged: that costs a transaction
a message, cannot be written when memory is short, and is of no use for a hint."""


class HintChannel(kombu_redis.Channel):
    """A queue is bound once; that it cannot be bound again is no reason not to read it."""

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        with suppress(ResponseError):
            super()._queue_bind(  # type: ignore[no-untyped-call]  # not typed upstream
                exchange, routing_key, pattern, queue
            )


class HintTransport(kombu_redis.Transport):
    """To a standalone server."""

    Channel = HintChannel
    connection_errors = (*kombu_redis.Transport.connection_errors, ResponseError)


class SentinelHintChannel(HintChannel, kombu_redis.SentinelChannel):
    """The same, where Sentinel knows the server."""


class SentinelHintTransport(kombu_redis.SentinelTransport):
    """To the server that Sentinel names."""

    Channel = SentinelHintChannel
    connection_errors = HintTransport.connection_errors


def transport_for(broker_url: str) -> str:
    """The transport's path, as Celery takes it."""
    kind = SentinelHintTransport if broker_url.startswith("sentinel://") else HintTransport
    return f"{__name__}:{kind.__name__}"
