"""A connection that can lose a reply: the server has done the work, and nobody hears of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

_CHUNK = 65_536


class LossyProxy:
    """Forwards to a server on this machine, and breaks connections where it is told to.

    A connection breaks when the server has answered, before the answer is forwarded.
    """

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()
        self._command = b""
        self._num_to_lose = 0
        self.num_lost = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    def lose_replies(self, num: int, command: str = "EVALSHA") -> None:
        """Lose the next `num` replies to requests with this command."""
        self._command, self._num_to_lose, self.num_lost = command.encode(), num, 0

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        doomed = asyncio.Event()
        for pumping in (
            self._forward(reader, to_server, doomed),
            self._answer(upstream, writer, to_server, doomed),
        ):
            pump = asyncio.create_task(pumping)
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _forward(
        self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter, doomed: asyncio.Event
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                if self._num_to_lose and self._command in data:
                    self._num_to_lose -= 1
                    doomed.set()
                to_server.write(data)
                await to_server.drain()
        to_server.close()

    async def _answer(
        self,
        upstream: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        to_server: asyncio.StreamWriter,
        doomed: asyncio.Event,
    ) -> None:
        with suppress(ConnectionError):
            while data := await upstream.read(_CHUNK):
                if doomed.is_set():
                    self.num_lost += 1
                    to_server.close()
                    break
                writer.write(data)
                await writer.drain()
        writer.close()
