"""A TCP proxy between two parts that can do to a connection what networks do.

It has an event loop in a thread of its own, so that scenarios change the weather while they wait
for something else. A connection that lost a byte never recovers, as in a network: it stays silent
until one of its ends gives it up.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self, get_args

from banyan.local.ports import LOOPBACK

Weather = Literal["clear", "delay", "reset", "black_hole", "half_open", "cut"]
"""`delay`: every piece comes later. `reset`: every connection breaks as soon as it is used.
`black_hole`: nothing arrives anywhere. `half_open`: what is sent arrives, and no reply does.
`cut`: every reply breaks in its middle."""

STORMS: tuple[Weather, ...] = tuple(kind for kind in get_args(Weather) if kind != "clear")

Rewrite = Callable[[bytes], bytes]
"""What becomes of a piece of what a client sends; one is made for each connection."""

_CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards connections to a port of this machine. Everything ends with the block."""

    def __init__(
        self, port: int, *, delay_s: float = 0.2, make_rewrite: Callable[[], Rewrite] | None = None
    ) -> None:
        self._server_port = port
        self.delay_s = delay_s
        self._make_rewrite = make_rewrite or (lambda: bytes)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._pumps: set[asyncio.Task[None]] = set()
        self.weather: Weather = "clear"
        self.num_harmed = 0
        """Connections that the weather has broken or silenced."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, LOOPBACK, 0, backlog=1_024), self._loop
        ).result()
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        pumps = list(self._pumps)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it runs in one
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)
        to_server: asyncio.StreamWriter | None = None
        try:
            with suppress(OSError):
                from_server, to_server = await asyncio.open_connection(LOOPBACK, self._server_port)
                line = _Line(self, writer, to_server)
                await asyncio.gather(
                    line.carry(reader, to_server, self._make_rewrite()),
                    line.carry(from_server, writer, None),
                )
        finally:
            for end in (writer, to_server):
                if end is not None:
                    end.transport.abort()


class _Line:
    """One connection, in both directions."""

    def __init__(
        self, proxy: Proxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._ends = (client, server)
        self._is_dead = False

    async def carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        rewrite: Rewrite | None,
    ) -> None:
        """Forward until one end closes. `rewrite` is None for replies."""
        is_reply = rewrite is None
        while data := await source.read(_CHUNK):
            weather = self._proxy.weather
            if self._is_dead or weather == "black_hole" or (weather == "half_open" and is_reply):
                self._harm()
                continue
            if weather == "delay":
                await asyncio.sleep(self._proxy.delay_s)
            if weather == "reset" or (weather == "cut" and is_reply):
                self._harm()
                if weather == "cut":
                    target.write(data[: len(data) // 2])
                    await target.drain()
                self._close(by_reset=weather == "reset")
                return
            target.write(rewrite(data) if rewrite else data)
            await target.drain()
        if not self._is_dead:
            target.close()

    def _harm(self) -> None:
        if not self._is_dead:
            self._is_dead = True
            self._proxy.num_harmed += 1

    def _close(self, *, by_reset: bool) -> None:
        """Close both ends; by RST what was sent may be lost too."""
        for end in self._ends:
            raw: socket.socket = end.get_extra_info("socket")
            if by_reset:
                with suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()
