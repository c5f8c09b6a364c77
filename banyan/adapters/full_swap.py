"""Full weights on replicas: one version each, changed one replica after the other.

A replica is closed (its epoch grows), drained, reloaded, proved, and opened; see `stationed.py` for
what calls make of that. A station that is found closed was left by a swapper that died: what its
replica has is not known, so that it is loaded again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from banyan.adapters.prover import Prover
from banyan.adapters.swap_rules import SwapRules
from banyan.errors import Conflict, EngineError, EngineUnavailable
from banyan.ports import PolicyStore, Station, Weights
from banyan.registry import Line, Registry
from banyan.stations import plan

log = structlog.get_logger(__name__)

_POLL_S = 0.1


class FullSwap:
    """Reloads replicas; knows nothing of pointers. `token` holds the lease meanwhile."""

    def __init__(
        self,
        store: PolicyStore,
        replicas: Mapping[str, Weights],
        folder: Callable[[str], Path],
        prover: Prover,
        rules: SwapRules,
        *,
        token: str,
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._folder = folder
        self._prover = prover
        self._rules = rules
        self._token = token

    async def tend(self, registry: Registry, pinned: set[str]) -> None:
        """Replicas have what new and running trees need, as far as there are enough of them.

        A replica that does not answer is closed: when it is back it has its own weights again.
        """
        line = _line(registry)
        if line is None:
            return
        stations = await self._stations()
        for name, station in list(stations.items()):
            try:
                await self._replicas[name].ping()
            except EngineUnavailable:
                if station.version is not None and station.is_open:
                    await self._set(name, _closed(station))
                stations.pop(name)
        main = _weights(registry, line.live)
        stations = {name: await self._station(name) for name in stations}
        planned = plan(_versions(stations), main=main, others=self._others(registry, line, pinned))
        for name, version in planned.items():
            station = stations[name]
            if station.is_open and station.version == version:
                continue
            try:
                await self._change(name, station, version, registry)
            except EngineError as error:
                log.warning("replica.not_changed", replica=name, code=error.code)

    async def bring(self, registry: Registry, version: str, pinned: set[str]) -> None:
        """Load a wanted version on the replicas that are to have it, and prove it on each.

        While other versions are needed, each keeps a replica, unless there is only one in all.
        Raises Conflict for a canary that has no replica to itself, and EngineError where a replica
        fails; its old weights are put back then.
        """
        line = registry.line(registry.version(version).policy)
        stations = await self._stations()
        others = self._others(registry, line, pinned)
        if line.wanted is not None and line.wanted.share < 1:
            if len(stations) < 2:
                raise Conflict("a canary of full weights needs a second replica")
            main, others = _weights(registry, line.live), [version, *others]
        else:
            main, others = version, [_weights(registry, line.live), *others]
        planned = plan(_versions(stations), main=main, others=others)
        for name in [name for name, planned_for in planned.items() if planned_for == version]:
            station = stations[name]
            if not station.is_open or station.version != version:
                await self._change(name, station, version, registry)

    def _others(self, registry: Registry, line: Line, pinned: set[str]) -> list[str | None]:
        """Versions beside the main one, in the order of their claim to a replica."""
        names = [line.canary] if line.canary else []
        names += sorted(pinned - {line.live}, reverse=True)
        return [_weights(registry, name) for name in names]

    async def _change(
        self, name: str, station: Station, version: str | None, registry: Registry
    ) -> None:
        """Close, drain, reload, prove, open. What fails is undone, and raised."""
        replica = self._replicas[name]
        allowed = await self._allowed(replica, station, version, registry)
        closed = _closed(station)
        await self._set(name, closed)
        await asyncio.sleep(self._rules.settle_s)
        await self._drain(name, replica)
        try:
            await self._load(replica, version)
            if version is not None:
                await self._prover.check_full(replica, version, allowed)
        except EngineError:
            if station.is_open:  # else it is not known what it had
                await self._load(replica, station.version)
                await self._set(name, closed.model_copy(update={"is_open": True}))
            raise
        await self._set(name, Station(version=version, epoch=closed.epoch, allowed_nats=allowed))
        log.info("replica.changed", replica=name, version=version or "its own")

    async def _allowed(
        self, replica: Weights, station: Station, version: str | None, registry: Registry
    ) -> float:
        """The tolerance of a proof: measured where the replica has what is live, else as before."""
        if version is None:
            return self._rules.floor_nats
        live = registry.line(registry.version(version).policy).live
        if station.is_open and station.version == _weights(registry, live):
            return await self._prover.tolerance(replica, registry, version, adapter=False)
        return max(self._rules.floor_nats, station.allowed_nats)

    async def _drain(self, name: str, replica: Weights) -> None:
        clock = asyncio.get_running_loop().time
        give_up_at = clock() + self._rules.drain_s
        while num_calls := await replica.num_calls():
            if clock() >= give_up_at:
                log.info("replica.aborts_calls", replica=name, count=num_calls)
                return
            await asyncio.sleep(min(_POLL_S, self._rules.drain_s or _POLL_S))

    async def _load(self, replica: Weights, version: str | None) -> None:
        await replica.pause()
        try:
            await replica.reload(self._folder(version) if version else None)
        finally:
            await replica.resume()

    async def _stations(self) -> dict[str, Station]:
        """Of all replicas; those that have none yet get one, before anything can change."""
        known = await self._store.stations()
        for name in self._replicas.keys() - known.keys():
            await self._set(name, Station(version=None))
        return {name: known.get(name) or Station(version=None) for name in sorted(self._replicas)}

    async def _station(self, name: str) -> Station:
        return (await self._store.stations())[name]

    async def _set(self, name: str, station: Station) -> None:
        if not await self._store.set_station(name, station, token=self._token):
            raise Conflict("another worker changes the replicas now")


def _closed(station: Station) -> Station:
    return station.model_copy(update={"is_open": False, "epoch": station.epoch + 1})


def _versions(stations: Mapping[str, Station]) -> dict[str, str | None]:
    return {name: station.version for name, station in stations.items()}


def _line(registry: Registry) -> Line | None:
    """The line whose versions are full weights; there is one at most for one engine."""
    lines = [line for line in registry.lines.values() if line.kind == "full"]
    return lines[0] if lines else None


def _weights(registry: Registry, version: str) -> str | None:
    """What a replica has that serves the version: None where it is the server's own weights."""
    return version if version in registry.versions else None
