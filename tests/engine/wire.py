"""A server of raw bytes: what a model server may send, well-formed or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Wire:
    """Answers each request with the next of its scripted replies.

    A reply is the bytes to send; None closes the connection without a byte. `hang` never answers,
    `deaf` does not even read.
    """

    replies: Sequence[bytes | None]
    hang: bool = False
    deaf: bool = False
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    num_connections: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client has closed a connection, and at the end."""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.num_connections += 1
        try:
            await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed.set()
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.deaf:
            await self.closed.wait()
            return
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
            body = await reader.readexactly(int(length or 0))
            self.requests.append(head + body)
            if self.hang:
                await reader.read()
                return
            reply = self.replies[len(self.requests) - 1]
            if reply is None:
                return
            writer.write(reply)
            await writer.drain()
            if b"content-length" not in reply and b"chunked" not in reply:
                return


@asynccontextmanager
async def wire(
    *replies: bytes | None, hang: bool = False, deaf: bool = False
) -> AsyncIterator[Wire]:
    """A server with these replies on a free port."""
    script = Wire(replies, hang=hang, deaf=deaf)
    server = await asyncio.start_server(script.handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    script.url = f"http://{host}:{port}"
    try:
        yield script
    finally:
        script.closed.set()
        server.close()
        await server.wait_closed()


def reply(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """A reply with a length."""
    head = f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunked(*parts: bytes) -> bytes:
    """A reply in chunks."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def events(*data: bytes) -> bytes:
    """A stream of server-sent events, a chunk each."""
    return chunked(*(b"data: " + part + b"\n\n" for part in data))
