"""One blocking XREAD over all streams of a shard that somebody in this process watches.

A further stream of the reader's own wakes it when what it should watch has changed; since XREAD
starts behind the last entry seen, no wake-up can fall between two reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from banyan.adapters.redis_codec import load_event
from banyan.adapters.redis_connection import PASSING, Connection
from banyan.adapters.redis_scripts import Client
from banyan.tree import Event

QUEUE_EVENTS = 512
"""Events that wait for one subscriber; the oldest are dropped and read from the stream later."""

_BLOCK_MS = 5_000
_SOCKET_TIMEOUT_S = 15.0  # longer than the block, or every quiet read would look like a failure
_RECHECK_S = 30.0
_PAUSE_S = 0.5
_BATCH = 500
_WAKE_TTL_MS = 3_600_000


class Subscription:
    """The events of one stream for one subscriber."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._queue: deque[Event] = deque(maxlen=QUEUE_EVENTS)
        self._arrived = asyncio.Event()
        stream.subscriptions.add(self)

    async def next(self, after: int) -> Event | None:
        """The event `after + 1`. None: read the stream yourself, then ask again."""
        while True:
            while self._queue:
                event = self._queue.popleft()
                if event.seq == after + 1:
                    return event
                if event.seq > after:
                    return None
            self._arrived.clear()
            try:
                async with asyncio.timeout(_RECHECK_S):
                    await self._arrived.wait()
            except TimeoutError:
                return None
            if not self._queue:
                return None

    def put(self, event: Event) -> None:
        self._queue.append(event)
        self._arrived.set()

    def interrupt(self) -> None:
        """Let the subscriber read the stream itself."""
        self._arrived.set()

    def close(self) -> None:
        self._stream.subscriptions.discard(self)


@dataclass(slots=True)
class Stream:
    """A stream that is watched: the last entry read, and who wants to know."""

    position: str
    subscriptions: set[Subscription] = field(default_factory=set)


class StreamReader:
    """Runs while it has subscriptions."""

    def __init__(self, connection: Connection, tag: str) -> None:
        self._connection = connection
        self._wake_key = f"{tag}:wake:{secrets.token_hex(8)}"
        self._wake_position = "0-0"
        self._streams: dict[str, Stream] = {}
        self._task: asyncio.Task[None] | None = None

    async def subscribe(self, key: str, after: int) -> Subscription:
        """Watch a stream from entry `after`; later, where somebody watches it already.

        The subscriber reads the stream once more before it waits.
        """
        known = key in self._streams
        subscription = Subscription(self._streams.setdefault(key, Stream(f"{after}-0")))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"events {self._wake_key}")
        elif not known:
            try:
                await self._connection.run(self._wake)
            except BaseException:
                subscription.close()
                raise
        return subscription

    async def close(self) -> None:
        if (task := self._task) is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _wake(self, client: Client) -> None:
        async with client.pipeline(transaction=False) as pipe:
            pipe.xadd(self._wake_key, {"wake": ""}, maxlen=1, approximate=False)
            pipe.pexpire(self._wake_key, _WAKE_TTL_MS)
            await pipe.execute()

    async def _run(self) -> None:
        client: Redis | None = None
        try:
            while self._forget_unwatched():
                try:
                    if client is None:
                        client = await self._connection.blocking_client(
                            self._wake_key, socket_timeout_s=_SOCKET_TIMEOUT_S
                        )
                    await self._read(client)
                except PASSING:
                    # In a cluster the slot may have moved: ask again where it is.
                    if client is not None:
                        await client.aclose()
                        client = None
                    self._interrupt_all()
                    await asyncio.sleep(_PAUSE_S)
        finally:
            # Before anything is awaited: who subscribes from now on needs a new task.
            self._task = None
            self._interrupt_all()
            if client is not None:
                await client.aclose()

    async def _read(self, client: Redis) -> None:
        positions: dict[Any, Any] = {key: s.position for key, s in self._streams.items()}
        positions[self._wake_key] = self._wake_position
        reply: Any = await client.xread(positions, count=_BATCH, block=_BLOCK_MS)
        for name, entries in reply or ():
            key = name.decode()
            if key == self._wake_key:
                self._wake_position = entries[-1][0].decode()
            elif stream := self._streams.get(key):
                stream.position = entries[-1][0].decode()
                for entry in entries:
                    event = load_event(entry)
                    for subscription in stream.subscriptions:
                        subscription.put(event)

    def _forget_unwatched(self) -> bool:
        """Whether any stream is still watched."""
        for key in [key for key, s in self._streams.items() if not s.subscriptions]:
            del self._streams[key]
        return bool(self._streams)

    def _interrupt_all(self) -> None:
        for stream in self._streams.values():
            for subscription in stream.subscriptions:
                subscription.interrupt()
