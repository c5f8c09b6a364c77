"""Pinned post: one HTTP POST to addresses that were checked, whatever the name means by now.

Redirects are not followed, proxies of the environment are not used, and the reply's body is not
read. TLS is checked against the name in the URL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the given addresses, in this order, and to nothing else."""

    def __init__(self, addresses: tuple[str, ...]) -> None:
        self._addresses = addresses
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # as httpcore calls it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes one; `host` is for TLS alone."""
        del host
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


async def post(
    url: str,
    addresses: tuple[str, ...],
    *,
    headers: Mapping[str, str],
    body: bytes,
    timeout_s: float,
) -> int | None:
    """The status of the reply; None where there was none within `timeout_s`."""
    try:
        async with (
            asyncio.timeout(timeout_s),
            httpcore.AsyncConnectionPool(network_backend=_Pinned(addresses)) as pool,
            pool.stream(
                "POST",
                url,
                headers=list(headers.items()),
                content=body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write"), timeout_s)},
            ) as reply,
        ):
            return int(reply.status)
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
        OSError,
    ):
        return None
