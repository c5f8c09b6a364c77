"""A connection to Redis or Valkey, standalone or cluster, that outlives a restart of the server.

Every operation passed to `run` must be safe to repeat: a reply can be lost after the server has
done the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,  # noqa: A004 - the name it has in redis-py
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    TimeoutError,  # noqa: A004 - the name it has in redis-py
    TryAgainError,
)

from banyan.adapters.redis_scripts import Client
from banyan.errors import StoreUnavailable

RETRY_S = 20.0
"""How long an operation is tried again while the server does not answer."""

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0

PASSING = (
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    OSError,
    ReadOnlyError,
    RedisClusterException,
    TimeoutError,
    TryAgainError,
)

T = TypeVar("T")


class Connection:
    """Connects at first use. The URL's scheme is `redis`, `rediss`, or these with `+cluster`."""

    def __init__(
        self,
        url: str,
        *,
        socket_timeout_s: float,
        max_connections: int,
        retry_s: float = RETRY_S,
    ) -> None:
        scheme, separator, rest = url.partition("://")
        self._named_cluster = scheme.endswith("+cluster")
        self._url = scheme.removesuffix("+cluster") + separator + rest
        self._socket_timeout_s = socket_timeout_s
        self._max_connections = max_connections
        self._retry_s = retry_s
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        # The pools would refuse a call that finds no free connection; here it waits its turn.
        self._free_connections = asyncio.Semaphore(max_connections)

    @property
    def address(self) -> str:
        """Host and port, without a password."""
        parts = urlsplit(self._url)
        return f"{parts.hostname}:{parts.port or 6379}"

    async def run(self, operation: Callable[[Client], Awaitable[T]], *, retry: bool = True) -> T:
        """The operation's result. Raises StoreUnavailable where the server does not answer."""
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + (self._retry_s if retry else 0.0)
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with self._free_connections:
                    return await operation(await self.client())
            except OutOfMemoryError as error:
                raise StoreUnavailable(
                    f"the store at {self.address} is out of memory",
                    hint="Wait until solves have finished, or raise the server's maxmemory.",
                ) from error
            except PASSING as error:
                if clock() + pause_s > give_up_at:
                    raise StoreUnavailable(
                        f"no answer from the store at {self.address}: {error}"
                    ) from error
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def memory_bytes(self) -> tuple[int, int]:
        """What the servers use, and the most they may; 0 where one of them has no limit."""

        async def ask(client: Client) -> list[dict[str, Any]]:
            if isinstance(client, RedisCluster):
                found = await client.info("memory", target_nodes=RedisCluster.PRIMARIES)
                return list(found.values()) if "used_memory" not in found else [found]
            return [await client.info("memory")]

        servers = await self.run(ask)
        limits = [int(server.get("maxmemory", 0)) for server in servers]
        return sum(int(server["used_memory"]) for server in servers), sum(limits) * all(limits)

    async def client(self) -> Client:
        """The shared client. Raises redis-py's errors where the server does not answer."""
        if self._client is None:
            async with self._connecting:
                if self._client is None:
                    self._client = await self._connect()
        return self._client

    async def blocking_client(self, key: str, *, socket_timeout_s: float) -> Redis:
        """A client of its own, to the server that holds `key`, for commands that block."""
        client = await self.client()
        if isinstance(client, Redis):
            return self._standalone(socket_timeout_s)
        node = client.get_node_from_key(key)
        if node is None:
            raise ClusterDownError(f"no server holds the slot of {key}")
        return self._standalone(socket_timeout_s, host=node.host, port=node.port)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _connect(self) -> Client:
        if not self._named_cluster:
            client = self._standalone(self._socket_timeout_s)
            try:
                info = await client.info("cluster")
            except BaseException:
                await client.aclose()
                raise
            if not info.get("cluster_enabled"):
                return client
            await client.aclose()
        cluster = RedisCluster.from_url(
            self._url,
            socket_timeout=self._socket_timeout_s,
            socket_connect_timeout=self._socket_timeout_s,
            max_connections=self._max_connections,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            await cluster.initialize()
        except BaseException:
            await cluster.aclose()
            raise
        return cluster

    def _standalone(self, socket_timeout_s: float, **where: Any) -> Redis:
        return Redis.from_url(
            self._url,
            socket_timeout=socket_timeout_s,
            socket_connect_timeout=self._socket_timeout_s,
            max_connections=self._max_connections,
            # `run` does the repeating: one place knows for how long.
            retry=Retry(NoBackoff(), 0),
            **where,
        )
