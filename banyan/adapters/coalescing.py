"""Coalescing: one model call for all who ask the same at the same time.

Only deterministic calls (temperature 0), so never those of rollouts, which train. What is the same
includes the salt, which holds the tenant and the policy's version. A call that streams is made for
itself. Within a process the first who asks starts the call and the rest wait for it; a call lives
as long as anybody waits, so that a cancelled node takes nothing from the others. With `flights`
the processes of an installation wait for each other too.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import structlog

from banyan.adapters.around import Around
from banyan.errors import StoreUnavailable
from banyan.ports import (
    CallOptions,
    Choice,
    Completion,
    Engine,
    Flights,
    OnDelta,
    Prompt,
)

LEASE_S = 30.0
LINGER_S = 2.0
"""How long a reply stays for those who wait for it in other processes."""
_FIRST_WAIT_S = 0.02
_LONGEST_WAIT_S = 0.25

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """Of either call; `scores` are those of `choose`."""

    completion: Completion
    scores: dict[str, float] | None = None


@dataclass(slots=True)
class _InFlight:
    task: asyncio.Task[Reply]
    waiting: int = 0


class Coalescing(Around):
    """Satisfies `banyan.ports.Engine`. `flights` is shared and not closed here.

    `keep_s`: how long a reply is given to others who ask the same after it was made.
    """

    def __init__(
        self,
        inner: Engine,
        flights: Flights | None = None,
        *,
        keep_s: float = LINGER_S,
        lease_s: float = LEASE_S,
    ) -> None:
        super().__init__(inner)
        self._flights = flights
        self._keep_s = keep_s
        self._lease_s = lease_s
        self._here: dict[str, _InFlight] = {}
        self._flying: set[asyncio.Task[Reply]] = set()

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        if not _is_deterministic(options):
            return await self._inner.choose(prompt, letters, options)

        async def call() -> Reply:
            scores, completion = await self._inner.choose(prompt, letters, options)
            return Reply(completion, {str(name): score for name, score in scores.items()})

        key = await self._key("choose", prompt, options, dict(letters))
        reply = await self._once(key, call)
        scores = reply.scores or {}
        return {name: scores[name] for name in letters}, reply.completion

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        async def call() -> Reply:
            return Reply(
                await self._inner.complete(
                    prompt,
                    schema=schema,
                    max_tokens=max_tokens,
                    options=options,
                    on_delta=on_delta,
                )
            )

        if on_delta is not None or not _is_deterministic(options):
            return (await call()).completion
        key = await self._key("complete", prompt, options, [schema, max_tokens])
        return (await self._once(key, call)).completion

    async def close(self) -> None:
        """Give up what is in flight, tell the others so, and close the inner engine."""
        flying = list(self._flying)
        for task in flying:
            if not task.cancelling():  # what was given up before is already telling them
                task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
        await super().close()

    async def _once(self, key: str, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """The reply to the call that is in flight here, or is started now."""
        flight = self._here.get(key)
        is_first = flight is None
        if flight is None:
            flight = self._here[key] = _InFlight(self._start(key, call))
        flight.waiting += 1
        try:
            reply = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.task.done() or not flight.waiting:
                flight.task.cancel()
                if self._here.get(key) is flight:
                    del self._here[key]
        return reply if is_first else _as_coalesced(reply)

    def _start(self, key: str, call: Callable[[], Awaitable[Reply]]) -> asyncio.Task[Reply]:
        task = asyncio.create_task(self._fly(key, call))
        self._flying.add(task)
        task.add_done_callback(self._flying.discard)
        return task

    async def _fly(self, key: str, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """The reply of the installation's flight: made here where nobody else makes it."""
        if self._flights is None:
            return await call()
        token = secrets.token_hex(8)
        try:
            landed = await _landed(self._flights, key, token, self._lease_s)
        except StoreUnavailable as error:
            log.warning("call not coalesced", code=error.code)
            return await call()
        if landed is not None:
            return _as_coalesced(msgspec.msgpack.decode(landed, type=Reply))
        return await self._lead(self._flights, key, token, call)

    async def _lead(
        self, flights: Flights, key: str, token: str, call: Callable[[], Awaitable[Reply]]
    ) -> Reply:
        renewing = asyncio.create_task(self._renew(flights, key, token))
        packed: bytes | None = None
        try:
            reply = await call()
            packed = msgspec.msgpack.encode(reply)
        finally:
            renewing.cancel()
            await _quietly(
                flights.leave(key, token)
                if packed is None
                else flights.land(key, token, packed, keep_s=self._keep_s)
            )
        return reply

    async def _renew(self, flights: Flights, key: str, token: str) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            await _quietly(flights.renew(key, token, lease_s=self._lease_s))

    async def _key(self, kind: str, prompt: Prompt, options: CallOptions, rest: Any) -> str:
        """A digest of all that the reply depends on."""
        abilities = await self._inner.abilities()
        asked = prompt.messages if prompt.token_ids is None else prompt.token_ids
        whole = msgspec.msgpack.encode([kind, abilities.model, asked, options, rest])
        return hashlib.blake2b(whole, digest_size=20).hexdigest()


async def _landed(flights: Flights, key: str, token: str, lease_s: float) -> bytes | None:
    """Another's reply once it is there; None where `token` leads."""
    wait_s = _FIRST_WAIT_S
    while True:
        flight = await flights.join(key, token, lease_s=lease_s)
        if flight.leads or flight.reply is not None:
            return flight.reply
        await asyncio.sleep(wait_s)
        wait_s = min(1.5 * wait_s, _LONGEST_WAIT_S)


async def _quietly(told: Awaitable[None]) -> None:
    """What the others are told is worth less than the reply: they ask again when the lease ends."""
    try:
        await told
    except StoreUnavailable as error:
        log.warning("flight not told", code=error.code)


def _is_deterministic(options: CallOptions) -> bool:
    return options.sampling.temperature == 0


def _as_coalesced(reply: Reply) -> Reply:
    return replace(reply, completion=replace(reply.completion, coalesced=True, seconds=0.0))
