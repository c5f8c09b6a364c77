"""Calls to one model server on aiohttp's client: pooled connections, whole replies or streams.

Why aiohttp: docs/adr/0012-http-client-for-engines.md. Errors are those of aiohttp (`ClientError`)
and TimeoutError; `engine_http.py` puts them in the words of Banyan. No redirects, cookies,
compression or proxies from the environment.
"""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from aiohttp import (
    AddrInfoType,
    ClientOSError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.http import RawResponseMessage
from yarl import URL

CONNECT_TIMEOUT_S = 5.0
KEEPALIVE_S = 3.0
"""Below the 5 s after which uvicorn (and so vLLM) and llama.cpp close an idle connection."""

_WHOLE_BYTES = 1024 * 1024
"""aiohttp wants longer bodies as files, which it sends in pieces."""


@dataclass(slots=True)
class _Call:
    method: str
    path: str
    body: bytes
    limits: ClientTimeout
    reused: bool = True
    """Whether it went over a connection that had been idle."""


_CALL: ContextVar[_Call] = ContextVar("_CALL")
"""The call for which aiohttp may now open a connection."""


class EngineSession:
    """Calls to the server at `base_url` (http or https), on the event loop of the first call.

    Raises ValueError for a URL or a header that is none, and for a URL with a password in it,
    which every message with the URL would tell.
    """

    def __init__(self, base_url: str, *, headers: Mapping[str, str], timeout_s: float) -> None:
        url = URL(base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"{base_url!r} is no URL of a server")
        if url.user is not None or url.password is not None:
            raise ValueError("the URL has a user or a password in it")
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise ValueError("a header has a line break or another strange character in it")
        self._base_url = base_url
        self._headers = dict(headers)
        self._timeout_s = timeout_s
        self._whole = _whole(timeout_s)
        self._sessions: dict[bool, ClientSession] = {}
        """By whether their connections are pooled. Made when first used, on the running loop."""

    async def request(
        self, method: str, path: str, body: bytes = b"", *, timeout_s: float | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the reply. The timeout is of the whole call."""
        limits = self._whole if timeout_s is None else _whole(timeout_s)
        async with await self._exchange(_Call(method, path, body, limits)) as reply:
            return reply.status, await reply.read()

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, body: bytes
    ) -> AsyncGenerator[tuple[int, AsyncIterator[bytes]], None]:
        """Status, and the body as it comes. The timeout is of each wait for more.

        Leaving the context before the body's end closes the connection, which cancels the call.
        """
        limits = ClientTimeout(connect=CONNECT_TIMEOUT_S, sock_read=self._timeout_s)
        async with asyncio.timeout(self._timeout_s):  # `sock_read` begins when all is sent
            reply = await self._exchange(_Call(method, path, body, limits))
        async with reply:
            yield reply.status, reply.content.iter_any()

    async def close(self) -> None:
        """Close all connections; calls in flight fail."""
        while self._sessions:
            _, session = self._sessions.popitem()
            await session.close()

    async def _exchange(self, call: _Call) -> ClientResponse:
        """The head of the reply; its body is still to come.

        A connection that the server closed while it was idle is no failure of the call: it is
        sent again, once, over a new one, since others in the pool may be as dead.
        """
        try:
            return await self._send(call, pooled=True)
        except (ServerDisconnectedError, ClientOSError) as error:
            if not call.reused or _has_begun(error):
                raise
        return await self._send(call, pooled=False)

    async def _send(self, call: _Call, *, pooled: bool) -> ClientResponse:
        session = self._sessions.get(pooled) or self._open(pooled=pooled)
        _CALL.set(call)
        return await session.request(
            call.method,
            self._base_url + call.path,
            data=call.body if len(call.body) <= _WHOLE_BYTES else io.BytesIO(call.body),
            allow_redirects=False,
            timeout=call.limits,
        )

    def _open(self, *, pooled: bool) -> ClientSession:
        connector = TCPConnector(
            limit=0,
            keepalive_timeout=KEEPALIVE_S if pooled else None,
            force_close=not pooled,
            socket_factory=_new_socket,
        )
        self._sessions[pooled] = ClientSession(
            connector=connector,
            headers=self._headers,
            skip_auto_headers=["Accept-Encoding"],
            auto_decompress=False,
            cookie_jar=DummyCookieJar(),
            trust_env=False,
        )
        return self._sessions[pooled]


def _whole(timeout_s: float) -> ClientTimeout:
    return ClientTimeout(total=timeout_s, connect=CONNECT_TIMEOUT_S)


def _has_begun(error: ServerDisconnectedError | ClientOSError) -> bool:
    """Whether a part of the reply came before the connection ended."""
    return isinstance(error, ServerDisconnectedError) and isinstance(
        error.message, RawResponseMessage
    )


def _new_socket(address: AddrInfoType) -> socket.socket:
    """A socket for the call at hand, which notes that it did not use an old one.

    aiohttp's traces tell the same, at a fifth of the price of a call.
    """
    _CALL.get().reused = False
    family, kind, protocol, _, _ = address
    return socket.socket(family, kind, protocol)
