"""A small HTTP/1.1 client for calls to one server: pooled connections, whole replies or streams.

Written for cost: hundreds of calls in flight from one event loop at about 0.2 ms of CPU each, where
a general client takes several milliseconds (docs/adr/http-client-for-engines.md). It knows what
model servers use: bodies with a length, chunked or until the end; no redirects, cookies, proxies or
compression.

Errors are Python's own: TimeoutError, and ConnectionError with its subclass ProtocolError.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 5.0
KEEPALIVE_S = 3.0
"""Below the 5 s after which uvicorn (and so vLLM) and llama.cpp close an idle connection."""
MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 256 * 1024 * 1024
_READ_BYTES = 64 * 1024
_HTTP_1 = b"HTTP/1."
_CONTINUE = 200


class ProtocolError(ConnectionError):
    """The server's bytes are no HTTP/1.1."""


class _Dropped(ConnectionError):
    """The server closed the connection before the first byte of a reply."""


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    idle_since: float = 0.0
    reused: bool = False

    def usable(self, now: float) -> bool:
        fresh = now - self.idle_since < KEEPALIVE_S
        return fresh and not self.reader.at_eof() and not self.writer.transport.is_closing()

    def abort(self) -> None:
        self.writer.transport.abort()


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    length: int | None
    """None: chunked, or until the connection ends."""
    chunked: bool
    keep: bool
    """Whether the connection can be used again after the body."""


class HttpClient:
    """Calls to the server at `base_url` (http or https), on one event loop.

    Raises ValueError for a URL or a header that is none.
    """

    def __init__(self, base_url: str, *, headers: Mapping[str, str], timeout_s: float) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base_url!r} is no URL of a server")
        self._host = parts.hostname
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._ssl else 80)
        self._prefix = parts.path.rstrip("/")
        self._timeout_s = timeout_s
        lines = [
            f"{name}: {value}\r\n" for name, value in {"host": parts.netloc, **headers}.items()
        ]
        if any("\r" in line[:-2] or "\n" in line[:-2] for line in lines):
            raise ValueError("a header has a line break in it")
        self._headers = "".join(lines).encode("latin-1")
        self._idle: list[_Connection] = []

    async def request(
        self, method: str, path: str, body: bytes = b"", *, timeout_s: float | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the reply. The timeout is of the whole call."""
        async with asyncio.timeout(timeout_s or self._timeout_s):
            connection, head = await self._exchange(method, path, body)
            try:
                if head.length is not None:
                    content = await _exactly(connection.reader, head.length)
                else:
                    content = b"".join([part async for part in _parts(connection.reader, head)])
            except BaseException:  # also a cancelled call: the rest of the reply is still to come
                connection.abort()
                raise
        self._release(connection, head)
        return head.status, content

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, body: bytes
    ) -> AsyncGenerator[tuple[int, AsyncIterator[bytes]], None]:
        """Status, and the body as it comes. The timeout is of each wait for more.

        Leaving the context before the body's end closes the connection, which cancels the call.
        """
        async with asyncio.timeout(self._timeout_s):
            connection, head = await self._exchange(method, path, body)
        ended = False

        async def parts() -> AsyncGenerator[bytes, None]:
            nonlocal ended
            more = _parts(connection.reader, head)
            while True:
                async with asyncio.timeout(self._timeout_s):
                    part = await anext(more, None)
                if part is None:
                    ended = True
                    return
                yield part

        try:
            yield head.status, parts()
        finally:
            if ended:
                self._release(connection, head)
            else:
                connection.abort()

    async def close(self) -> None:
        """Close the idle connections; calls in flight fail on their own."""
        while self._idle:
            connection = self._idle.pop()
            connection.writer.close()
            await asyncio.wait([asyncio.ensure_future(connection.writer.wait_closed())])

    async def _exchange(self, method: str, path: str, body: bytes) -> tuple[_Connection, _Head]:
        """Send a request and read the head of its reply.

        A connection that the server closed while it was idle is no failure of the call: it is
        sent again, once, over a new one.
        """
        target = (self._prefix + path).encode("ascii")
        length = str(len(body)).encode()
        request = b"%b %b HTTP/1.1\r\n%bcontent-length: %b\r\n\r\n%b" % (
            method.encode(), target, self._headers, length, body,
        )  # fmt: skip
        connection = self._idle_connection() or await self._connect()
        try:
            return connection, await _send(connection, request)
        except _Dropped:
            connection.abort()
            if not connection.reused:
                raise
        except BaseException:
            connection.abort()
            raise
        connection = await self._connect()
        try:
            return connection, await _send(connection, request)
        except BaseException:
            connection.abort()
            raise

    def _idle_connection(self) -> _Connection | None:
        """The connection that was used last, so that surplus ones grow old and are closed."""
        now = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if connection.usable(now):
                return connection
            connection.abort()
        return None

    async def _connect(self) -> _Connection:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            try:
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, ssl=self._ssl, limit=MAX_HEAD_BYTES
                )
            except ConnectionError:
                raise
            except OSError as error:  # no such host, no route, no more file descriptors, bad TLS
                raise ConnectionError(f"{type(error).__name__}: {error.strerror}") from error
        return _Connection(reader, writer)

    def _release(self, connection: _Connection, head: _Head) -> None:
        if not head.keep:
            connection.abort()
            return
        connection.reused = True
        connection.idle_since = time.monotonic()
        self._idle.append(connection)


async def _send(connection: _Connection, request: bytes) -> _Head:
    try:
        connection.writer.write(request)
        await connection.writer.drain()
        head = await connection.reader.readuntil(b"\r\n\r\n")
        while head[9:10] == b"1":  # 100 Continue and its like announce the reply
            head = await connection.reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise ProtocolError("the reply ended within its head") from error
        raise _Dropped("the server closed the connection") from error
    except ConnectionError as error:
        raise _Dropped("the server closed the connection") from error
    except asyncio.LimitOverrunError as error:
        raise ProtocolError("the head of the reply is too long") from error
    return _parse(head)


def _parse(head: bytes) -> _Head:
    """Of the head, what the body's end depends on."""
    first, *lines = head.split(b"\r\n")
    if not first.startswith(_HTTP_1) or not first[9:12].isdigit():
        raise ProtocolError("the reply is no HTTP/1.1")
    status = int(first[9:12])
    length: int | None = None
    chunked = False
    keep = first.startswith(b"HTTP/1.1")
    for line in lines:
        name, _, value = line.partition(b":")
        match name.lower():
            case b"content-length":
                if not value.strip().isdigit():
                    raise ProtocolError("the reply has no valid length")
                length = int(value)
            case b"transfer-encoding":
                chunked = b"chunked" in value.lower()
            case b"connection":
                keep = b"close" not in value.lower()
    if chunked:
        length = None
    elif status in (204, 304):
        length = 0
    return _Head(status, length, chunked, keep and (chunked or length is not None))


async def _exactly(reader: asyncio.StreamReader, num_bytes: int) -> bytes:
    if num_bytes > MAX_BODY_BYTES:
        raise ProtocolError("the reply is too long")
    try:
        return await reader.readexactly(num_bytes)
    except asyncio.IncompleteReadError as error:
        raise ProtocolError("the reply ended within its body") from error


async def _parts(reader: asyncio.StreamReader, head: _Head) -> AsyncIterator[bytes]:
    """The body in the pieces in which it comes."""
    if not head.chunked:
        left = MAX_BODY_BYTES if head.length is None else head.length
        while left:
            part = await reader.read(min(left, _READ_BYTES))
            if not part:
                if head.length is not None:
                    raise ProtocolError("the reply ended within its body")
                return
            left -= len(part)
            yield part
        return
    while size := await _chunk_size(reader):
        part = await _exactly(reader, size + 2)
        yield part[:-2]
    while await reader.readline() not in (b"\r\n", b""):
        pass  # trailers


async def _chunk_size(reader: asyncio.StreamReader) -> int:
    try:
        line = await reader.readuntil(b"\r\n")
        return int(line.partition(b";")[0], 16)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise ProtocolError("the reply's chunks are cut off or no chunks") from error
