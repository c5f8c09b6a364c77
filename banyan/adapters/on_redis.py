"""On Redis: what the adapters beside the store share; each has a connection of its own."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

from banyan.adapters import redis_codec as codec
from banyan.adapters.redis_connection import RETRY_S, Connection
from banyan.adapters.redis_scripts import Client, Name, evaluate


class OnRedis:
    """A part of an installation's state on a server. One instance belongs to one event loop.

    `namespace` keeps installations apart that share one server; `retry_s`: how long a call waits
    for a server that does not answer. All calls raise StoreUnavailable.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "",
        socket_timeout_s: float = 10.0,
        max_connections: int = 8,
        retry_s: float = RETRY_S,
    ) -> None:
        self._connection = Connection(
            url,
            socket_timeout_s=socket_timeout_s,
            max_connections=max_connections,
            retry_s=retry_s,
        )
        self._namespace = namespace

    async def close(self) -> None:
        """Give the connection back."""
        await self._connection.close()

    async def _command(self, command: str, key: str, *arguments: str | int) -> Any:
        """One command that is safe to repeat."""

        async def ask(client: Client) -> Any:
            return await client.execute_command(command, key, *arguments)

        return await self._connection.run(ask)

    async def _script(self, name: Name, key: str, tag: str, arguments: dict[str, Any]) -> list[Any]:
        """The reply of a script whose keys all begin with `tag`, as `key` does."""
        named = {"tag": tag, **arguments}
        return await self._connection.run(lambda client: evaluate(client, name, key, named))


class OnShards(OnRedis, ABC):
    """A part that lies in every shard beside its trees."""

    def __init__(
        self,
        url: str,
        *,
        num_shards: int = 8,
        namespace: str = "",
        socket_timeout_s: float = 10.0,
    ) -> None:
        super().__init__(
            url, namespace=namespace, socket_timeout_s=socket_timeout_s, max_connections=4
        )
        self._num_shards = num_shards
        self._keys = codec.Keys(namespace)

    @abstractmethod
    def _key(self, shard: int) -> str:
        """The key of this part in a shard."""

    async def _run(self, name: Name, shard: int, **arguments: Any) -> list[Any]:
        return await self._script(name, self._key(shard), self._keys.tag(shard), arguments)

    async def _run_on_all(self, name: Name, **arguments: Any) -> list[list[Any]]:
        """The replies of all shards."""
        return await asyncio.gather(
            *(self._run(name, shard, **arguments) for shard in range(self._num_shards))
        )


def whole_ms(seconds: float) -> int:
    """Whole ones, and at least one."""
    return max(1, round(seconds * 1000))
