"""The in-memory twin of `redis_flights`, for one event loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from banyan.ports import Flight


@dataclass(slots=True)
class _Held:
    token: str
    reply: bytes | None
    until: float


@dataclass(slots=True)
class MemoryFlights:
    """`banyan.ports.Flights`; `clock` in seconds."""

    clock: Callable[[], float] = time.monotonic
    _held: dict[str, _Held] = field(default_factory=dict)

    async def join(self, key: str, token: str, *, lease_s: float) -> Flight:
        held = self._held.get(key)
        if held is None or held.until <= self.clock():
            self._held[key] = _Held(token, None, self.clock() + lease_s)
            return Flight(leads=True)
        if held.reply is not None:
            return Flight(leads=False, reply=held.reply)
        return Flight(leads=held.token == token)

    async def renew(self, key: str, token: str, *, lease_s: float) -> None:
        if (held := self._led(key, token)) is not None:
            held.until = self.clock() + lease_s

    async def land(self, key: str, token: str, reply: bytes, *, keep_s: float) -> None:
        if (held := self._led(key, token)) is not None:
            held.reply, held.until = reply, self.clock() + keep_s

    async def leave(self, key: str, token: str) -> None:
        if self._led(key, token) is not None:
            del self._held[key]

    async def close(self) -> None:
        """Nothing is held open."""

    def _led(self, key: str, token: str) -> _Held | None:
        held = self._held.get(key)
        alive = held is not None and held.until > self.clock() and held.reply is None
        return held if alive and held is not None and held.token == token else None
