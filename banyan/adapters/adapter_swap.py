"""Adapters on replicas: each version under its own name, so that old and new serve side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from banyan.adapters.prover import Prover
from banyan.errors import EngineError, EngineUnavailable, NotProved
from banyan.ports import Weights
from banyan.registry import Registry

log = structlog.get_logger(__name__)


class AdapterSwap:
    """Loads and unloads adapters; knows nothing of pointers."""

    def __init__(
        self,
        replicas: Mapping[str, Weights],
        folder: Callable[[str], Path],
        prover: Prover,
    ) -> None:
        self._replicas = replicas
        self._folder = folder
        self._prover = prover

    async def tend(self, registry: Registry, pinned: set[str]) -> None:
        """On every replica: what trees need is loaded (again), what none needs any more is not.

        A replica that does not answer is left for the next time.
        """
        wanted = {line.wanted.version for line in registry.lines.values() if line.wanted}
        needed = _adapters(registry) & registry.needed(pinned) - wanted
        known = _adapters(registry) - wanted
        if not known:
            return
        results = await asyncio.gather(
            *(self._tend_one(replica, needed, known) for replica in self._replicas.values()),
            return_exceptions=True,
        )
        for name, result in zip(self._replicas, results, strict=True):
            if isinstance(result, EngineError):
                log.warning("replica.not_tended", replica=name, code=result.code)
            elif isinstance(result, BaseException):
                raise result

    async def bring(self, registry: Registry, version: str) -> None:
        """Load a version on all replicas and prove it on each.

        Raises EngineError where one of them fails; then it is unloaded where it was loaded, but not
        where it was in service before. NotProved says that the weights are to blame.
        """
        was_serving = registry.version(version).state == "canary"
        results = await asyncio.gather(
            *(
                self._bring_one(name, replica, registry, version)
                for name, replica in self._replicas.items()
            ),
            return_exceptions=True,
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        if not failures:
            return
        if not was_serving:
            await asyncio.gather(
                *(replica.unload_adapter(version) for replica in self._replicas.values()),
                return_exceptions=True,
            )
        for failure in failures:
            if isinstance(failure, NotProved):
                raise failure
        raise failures[0]

    async def _tend_one(self, replica: Weights, needed: set[str], known: set[str]) -> None:
        loaded = await replica.adapters()
        for version in sorted(needed - loaded):
            await replica.load_adapter(version, self._folder(version))
        for version in sorted((loaded & known) - needed):
            await replica.unload_adapter(version)

    async def _bring_one(
        self, name: str, replica: Weights, registry: Registry, version: str
    ) -> None:
        await replica.ping()
        if version not in await replica.adapters():
            await self._load(name, replica, version)
        await self._prover.check_adapter(replica, registry, version)

    async def _load(self, name: str, replica: Weights, version: str) -> None:
        """Raises NotProved where the replica refuses the adapter and is well apart from that.

        vLLM answers 500 to an adapter that it cannot read, as it would if it were broken itself.
        """
        try:
            await replica.load_adapter(version, self._folder(version))
        except EngineError as error:
            try:
                await replica.ping()
                loaded = await replica.adapters()
            except EngineError as second:
                raise EngineUnavailable(f"{name} failed while it loaded {version}") from second
            if version not in loaded:
                raise NotProved(
                    f"{name} cannot load it: {error}",
                    hint="Look for the reason in the model server's log.",
                ) from error


def _adapters(registry: Registry) -> set[str]:
    return {name for name, version in registry.versions.items() if version.kind == "adapter"}
