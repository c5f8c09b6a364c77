"""Replicas: several servers of one model as one engine.

A call goes to the replica that its prompt's beginning names (rendezvous hash), since the keys and
values of that prefix are cached there, unless this replica has more than its share of the calls in
flight. A call behind a parent's prefix goes to the replica that computed the prefix, which may have
been another one, and leaves it later than others do: elsewhere the prefix would be computed anew. A
replica without room is passed over for one with room, and where none has any, model calls wait in
their order. A replica that does not answer is left alone for a while, and its call is tried on
another. One server is the case of one.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from banyan.adapters.places import Places, place
from banyan.affinity import affinity
from banyan.errors import EngineRefused, EngineUnavailable
from banyan.ports import (
    Abilities,
    CallOptions,
    Choice,
    Completion,
    Engine,
    Message,
    OnDelta,
    Prompt,
)

LOAD_FACTOR = 1.25
"""A replica may have this many times the average of calls in flight before others get them."""
PREFIX_FLOOR = 8
"""Up to so many calls in flight a replica is no reason for a call behind a prefix to leave it. The
own parts of eight siblings are shorter than a prefix that pays, and engines batch them."""
MAX_ATTEMPTS = 3
FIRST_REST_S = 0.5
MAX_REST_S = 30.0

T = TypeVar("T")


@dataclass(slots=True)
class Replica:
    """A server, the calls in flight on it from here, and until when it is left alone."""

    name: str
    engine: Engine
    places: Places
    in_flight: int = 0
    rest_s: float = 0.0
    rests_until: float = 0.0

    def failed(self, now: float) -> None:
        self.rest_s = min(MAX_REST_S, self.rest_s * 2 or FIRST_REST_S)
        self.rests_until = now + self.rest_s

    def answered(self) -> None:
        self.rest_s = self.rests_until = 0.0


class Replicas:
    """Satisfies `banyan.ports.Engine`. `engines` are (name, engine) pairs; names are stable.

    `places` are those of replicas, by name; a replica that has none here always has room.
    """

    def __init__(
        self,
        engines: Sequence[tuple[str, Engine]],
        places: Mapping[str, Places] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not engines:
            raise ValueError("an engine needs at least one server")
        known = places or {}
        self.replicas = [
            Replica(name, engine, known.get(name) or Places(name)) for name, engine in engines
        ]
        self._clock = clock
        self._known: dict[str, Abilities] = {}
        self._asking: asyncio.Task[None] | None = None

    async def abilities(self) -> Abilities:
        """What all of them can do. Raises EngineRefused where they serve different models.

        Where one has answered, those that are silent are asked again when their rest is over, and
        nobody waits for them: a pool that scales lists servers that are not there.
        """
        if self._known:
            self._ask_silent()
        else:
            asked = await asyncio.gather(
                *(self._ask(replica) for replica in self.replicas), return_exceptions=True
            )
            if not self._known:
                raise next(answer for answer in asked if isinstance(answer, BaseException))
        if len(set(self._known.values())) > 1:
            raise EngineRefused(
                "the model servers differ in model, window or abilities",
                hint="List only replicas of one model in BANYAN_ENGINE_URLS.",
            )
        return next(iter(self._known.values()))

    def _ask_silent(self) -> None:
        """In the background, unless that is under way."""
        if self._asking is not None and not self._asking.done():
            return
        now = self._clock()
        due = [
            replica
            for replica in self.replicas
            if replica.name not in self._known and replica.rests_until <= now
        ]
        if due:
            self._asking = asyncio.create_task(self._ask_all(due), name="abilities")

    async def _ask_all(self, replicas: Sequence[Replica]) -> None:
        await asyncio.gather(*(self._ask(replica) for replica in replicas), return_exceptions=True)

    async def _ask(self, replica: Replica) -> None:
        """Note what one can do, or that it rests. Raises EngineError."""
        try:
            self._known[replica.name] = await replica.engine.abilities()
        except EngineUnavailable:
            replica.failed(self._clock())
            raise

    async def count(self, text: str) -> int:
        return await self._call(text, lambda replica: replica.engine.count(text))

    async def render(self, messages: Sequence[Message]) -> Prompt:
        return await self._call(affinity(messages), lambda replica: replica.engine.render(messages))

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        async def ask(replica: Replica) -> tuple[dict[Choice, float], Completion]:
            logprobs, completion = await replica.engine.choose(prompt, letters, options)
            return logprobs, self._named(completion, replica)

        return await self._call(
            options.salt + affinity(prompt.messages), ask, behind=_prefix(prompt), takes_place=True
        )

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        told = False

        async def tell(text: str) -> None:
            nonlocal told
            told = True
            if on_delta is not None:
                await on_delta(text)

        async def ask(replica: Replica) -> Completion:
            completion = await replica.engine.complete(
                prompt,
                schema=schema,
                max_tokens=max_tokens,
                options=options,
                on_delta=tell if on_delta is not None else None,
            )
            return self._named(completion, replica)

        return await self._call(
            options.salt + affinity(prompt.messages),
            ask,
            behind=_prefix(prompt),
            takes_place=True,
            # What was streamed cannot be taken back: another attempt would say it twice.
            may_retry=lambda: not told,
        )

    async def ping(self) -> None:
        """Raises EngineUnavailable where no replica answers."""
        asked = await asyncio.gather(
            *(replica.engine.ping() for replica in self.replicas), return_exceptions=True
        )
        failures = [answer for answer in asked if isinstance(answer, BaseException)]
        if len(failures) == len(self.replicas):
            raise failures[0]

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        for replica in self.replicas:
            await replica.places.close()
            await replica.engine.close()

    def ranked(self, key: str, *, behind: Message | None = None) -> list[Replica]:
        """Replicas in the order in which they should get the call.

        Those that rest come last. Within their share of the load, the one that computed the prefix
        that the call stands `behind` is first, then the hash of the key decides.
        """
        if len(self.replicas) == 1:
            return list(self.replicas)
        now = self._clock()
        home, floor = ("", 1) if behind is None else (behind.replica, PREFIX_FLOOR)
        order = sorted(
            self.replicas, key=lambda replica: (replica.name != home, _weight(key, replica.name))
        )
        awake = [replica for replica in order if replica.rests_until <= now]
        resting = [replica for replica in order if replica.rests_until > now]
        total = sum(replica.in_flight for replica in awake) + 1
        share = max(floor, math.ceil(LOAD_FACTOR * total / max(1, len(awake))))
        free = [replica for replica in awake if replica.in_flight < share]
        full = [replica for replica in awake if replica.in_flight >= share]
        return [*free, *full, *sorted(resting, key=lambda replica: replica.rests_until)]

    async def _call(
        self,
        key: str,
        call: Callable[[Replica], Awaitable[T]],
        *,
        behind: Message | None = None,
        takes_place: bool = False,
        may_retry: Callable[[], bool] = lambda: True,
    ) -> T:
        tried: list[Replica] = []
        while True:
            order = [r for r in self.ranked(key, behind=behind) if r not in tried]
            replica = await self._placed(order) if takes_place else order[0]
            tried.append(replica)
            replica.in_flight += 1
            try:
                with replica.places.occupied() if takes_place else nullcontext():
                    result = await self._noted(replica, call)
            except EngineUnavailable:
                out_of_attempts = len(tried) >= min(MAX_ATTEMPTS, len(self.replicas))
                if out_of_attempts or not may_retry():
                    raise
            else:
                replica.answered()
                return result
            finally:
                replica.in_flight -= 1

    async def _placed(self, order: Sequence[Replica]) -> Replica:
        """The first of them with room, in which a place was taken.

        Those that rest have room, and are no choice while others are awake; nor is one that failed
        while it was waited for.
        """
        while True:
            choices = self._awake(order) or order
            taken = await place([replica.places for replica in choices])
            replica = next(replica for replica in choices if replica.places is taken)
            if replica in (self._awake(order) or order):
                return replica
            taken.give_back()

    def _awake(self, replicas: Sequence[Replica]) -> Sequence[Replica]:
        now = self._clock()
        return [replica for replica in replicas if replica.rests_until <= now]

    def _named(self, completion: Completion, replica: Replica) -> Completion:
        """Say who computed it, where that is a question."""
        return completion if len(self.replicas) == 1 else replace(completion, replica=replica.name)

    async def _noted(self, replica: Replica, call: Callable[[Replica], Awaitable[T]]) -> T:
        """The call; that it failed is known before its place is another's."""
        try:
            return await call(replica)
        except EngineUnavailable:
            replica.failed(self._clock())
            raise


def _prefix(prompt: Prompt) -> Message | None:
    """What a parent handed down, if the prompt begins with it."""
    first = prompt.messages[0] if prompt.messages else None
    return first if first is not None and first.role == "prefix" else None


def _weight(key: str, name: str) -> bytes:
    """Rendezvous (highest random weight) hashing: the smallest digest wins."""
    return hashlib.blake2b(
        f"{name}\0{key}".encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()
