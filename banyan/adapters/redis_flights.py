"""Model calls in flight, in Redis or Valkey: one key a call, which ends by itself.

Its value is the leader's token behind an `L`, or the reply behind an `R`.
"""

from __future__ import annotations

from typing import Any, Literal

from banyan.adapters.on_redis import OnRedis, whole_ms
from banyan.adapters.redis_scripts import blob
from banyan.ports import Flight

_REPLY = b"R"


class RedisFlights(OnRedis):
    """`banyan.ports.Flights` on a server."""

    async def join(self, key: str, token: str, *, lease_s: float) -> Flight:
        status, *rest = await self._run("join", key, token, ms=whole_ms(lease_s))
        return Flight(leads=status == b"leads", reply=rest[0][1:] if rest else None)

    async def renew(self, key: str, token: str, *, lease_s: float) -> None:
        await self._run("renew", key, token, ms=whole_ms(lease_s))

    async def land(self, key: str, token: str, reply: bytes, *, keep_s: float) -> None:
        await self._run("land", key, token, ms=whole_ms(keep_s), reply=blob(_REPLY + reply))

    async def leave(self, key: str, token: str) -> None:
        await self._run("leave", key, token)

    async def _run(
        self, verb: Literal["join", "renew", "land", "leave"], key: str, token: str, **more: Any
    ) -> list[Any]:
        name = self._key(key)
        leader = f"L{token}"
        return await self._script("flight", name, name, {"verb": verb, "leader": leader, **more})

    def _key(self, key: str) -> str:
        return f"{self._namespace}flight:{key}"
