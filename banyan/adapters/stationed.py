"""Routing by weights: a call goes to a replica that has the version of full weights it asks for.

A replica is closed before its weights change, and its epoch grows. A call that ends under another
epoch than it began under may have been computed by two versions: it is void, and made again. One
that waited for a place while its replica was closed is not made there. Where
no replica has the version any more, and none is about to, the call moves to the weights that there
are, and the completion says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from banyan.adapters.around import Around
from banyan.adapters.places import Places
from banyan.adapters.replicas import Replicas
from banyan.errors import EngineUnavailable, NotLoaded
from banyan.ports import (
    OWN_WEIGHTS,
    CallOptions,
    Choice,
    Completion,
    Engine,
    OnDelta,
    PolicyStore,
    Prompt,
    Station,
)

FRESH_S = 0.5
"""For how long a look at the stations is good enough to choose a replica. A swapper that closes one
waits for twice as long before it changes anything, so that nobody is left who has not seen it."""
_OWN = Station(version=None)
_SUBSETS_REMEMBERED = 32
_OVERTAKEN = "the replica's weights were changed during the call"
_CLOSED = "the replica was closed while the call waited for a place"


class Board:
    """What the store says of the stations. `fresh_s`: for how long a look at them is recent."""

    def __init__(self, store: PolicyStore, fresh_s: float) -> None:
        self._store = store
        self._fresh_s = fresh_s
        self._stations: Mapping[str, Station] = {}
        self._looked_at = float("-inf")

    async def recent(self) -> Mapping[str, Station]:
        """As of the last `fresh_s` seconds."""
        if asyncio.get_running_loop().time() - self._looked_at >= self._fresh_s:
            await self.look()
        return self._stations

    async def look(self) -> Mapping[str, Station]:
        """As of now."""
        asked_at = asyncio.get_running_loop().time()
        self._stations = await self._store.stations()
        self._looked_at = asked_at
        return self._stations


class StationedEngine(Around):
    """Satisfies `banyan.ports.Engine`, over (name, engine) pairs as `Replicas` does."""

    def __init__(
        self,
        engines: Sequence[tuple[str, Engine]],
        store: PolicyStore,
        places: Mapping[str, Places] | None = None,
        *,
        fresh_s: float = FRESH_S,
    ) -> None:
        self._board = Board(store, fresh_s)
        super().__init__(
            Replicas(
                [
                    (name, _Routed(engine, name, _OWN.epoch, self._board))
                    for name, engine in engines
                ],
                places,
            )
        )
        self._places = places
        self._engines = dict(engines)
        self._some: dict[frozenset[tuple[str, int]], Replicas] = {}
        """By names and epochs, so that load and rests are remembered from call to call."""

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        engine, options, moved = await self._route(options)
        scores, completion = await engine.choose(prompt, letters, options)
        await self._check(engine)
        return scores, replace(completion, weights=moved)

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        engine, options, moved = await self._route(options)
        completion = await engine.complete(
            prompt, schema=schema, max_tokens=max_tokens, options=options, on_delta=on_delta
        )
        await self._check(engine)
        return replace(completion, weights=moved)

    async def _route(self, options: CallOptions) -> tuple[Engine, CallOptions, str | None]:
        """Replicas to call, what to ask of them, and the version where it is another one."""
        known = await self._board.recent()
        if not known and options.weights is None:
            return self._inner, options, None
        stations = {name: known.get(name, _OWN) for name in self._engines}
        moved: str | None = None
        if all(of.version != options.weights for of in stations.values()):
            version = _most_held(stations)
            moved = version or OWN_WEIGHTS
            options = replace(options, salt=f"{options.salt}:{moved}", weights=version)
        ready = {
            name: of
            for name, of in stations.items()
            if of.is_open and of.version == options.weights
        }
        if not ready:
            raise NotLoaded("every replica of this version is being reloaded")
        return self._subset(ready), options, moved

    async def _check(self, engine: Engine) -> None:
        """Whether weights were changed for the first time ever during a call.

        Where they had been changed before, calls are watched one by one.
        """
        if engine is self._inner and any(of.epoch for of in (await self._board.recent()).values()):
            raise EngineUnavailable(_OVERTAKEN)

    def _subset(self, ready: Mapping[str, Station]) -> Engine:
        key = frozenset((name, station.epoch) for name, station in ready.items())
        if key not in self._some:
            if len(self._some) >= _SUBSETS_REMEMBERED:
                self._some.clear()
            self._some[key] = Replicas(
                [
                    (name, _Watched(self._engines[name], name, station.epoch, self._board))
                    for name, station in ready.items()
                ],
                self._places,
            )
        return self._some[key]


class _Routed(Around):
    """A replica that was chosen at one epoch, for calls that may have waited for a place since."""

    def __init__(self, engine: Engine, name: str, epoch: int, board: Board) -> None:
        super().__init__(engine)
        self._name = name
        self._epoch = epoch
        self._board = board

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        await self._check_open()
        return await self._inner.choose(prompt, letters, options)

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        await self._check_open()
        return await self._inner.complete(
            prompt, schema=schema, max_tokens=max_tokens, options=options, on_delta=on_delta
        )

    async def _check_open(self) -> None:
        station = (await self._board.recent()).get(self._name, _OWN)
        if not station.is_open or station.epoch != self._epoch:
            raise EngineUnavailable(_CLOSED)


class _Watched(_Routed):
    """A replica whose calls are void where its epoch changes meanwhile."""

    async def choose(
        self, prompt: Prompt, letters: Mapping[Choice, str], options: CallOptions
    ) -> tuple[dict[Choice, float], Completion]:
        result = await super().choose(prompt, letters, _plain(options))
        await self._check()
        return result

    async def complete(
        self,
        prompt: Prompt,
        *,
        schema: Mapping[str, Any] | None,
        max_tokens: int,
        options: CallOptions,
        on_delta: OnDelta | None = None,
    ) -> Completion:
        completion = await super().complete(
            prompt,
            schema=schema,
            max_tokens=max_tokens,
            options=_plain(options),
            on_delta=on_delta,
        )
        await self._check()
        return completion

    async def close(self) -> None:
        """Its owner closes the engine."""

    async def _check(self) -> None:
        """The epoch grows before the weights change, so what ended under the old one is whole."""
        stations = await self._board.look()
        if stations.get(self._name, _OWN).epoch != self._epoch:
            raise EngineUnavailable(_OVERTAKEN)


def _plain(options: CallOptions) -> CallOptions:
    """For the replica itself, which has the weights already."""
    return replace(options, weights=None)


def _most_held(stations: Mapping[str, Station]) -> str | None:
    """The version of most open replicas, which is the one that is live. Raises NotLoaded."""
    versions = Counter(of.version for of in stations.values() if of.is_open)
    if not versions:
        raise NotLoaded("every replica is being reloaded")
    return versions.most_common(1)[0][0]
