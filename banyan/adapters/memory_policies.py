"""The registry of versions in the memory of one process: the twin of `redis_policies.py`."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from banyan.errors import NotFound
from banyan.manifest import Manifest
from banyan.ports import Station
from banyan.registry import EMPTY, Registry


class MemoryPolicies:
    """`banyan.ports.PolicyStore` without a server. `clock` tells seconds since the epoch."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._now = clock
        self._registry = EMPTY
        self._manifests: dict[str, Manifest] = {}
        self._pins: dict[str, dict[str, float]] = defaultdict(dict)
        self._rewards: dict[str, dict[str, float]] = defaultdict(dict)
        self._stations: dict[str, Station] = {}
        self._lease: tuple[str, float] = ("", 0.0)

    async def load(self) -> Registry:
        return self._registry

    async def save(self, registry: Registry, manifest: tuple[str, Manifest] | None = None) -> bool:
        if registry.revision != self._registry.revision:
            return False
        self._registry = registry.model_copy(update={"revision": registry.revision + 1})
        if manifest is not None:
            self._manifests[manifest[0]] = manifest[1]
        return True

    async def manifest(self, version: str) -> Manifest:
        if version not in self._manifests:
            raise NotFound(f"there is no version {version}")
        return self._manifests[version]

    async def pin(self, revision: int, version: str, tree_id: str, *, ttl_s: float) -> bool:
        if revision >= 0 and revision != self._registry.revision:
            return False
        pins = self._pins[version]
        pins[tree_id] = max(pins.get(tree_id, 0.0), self._now() + ttl_s)
        return True

    async def unpin(self, version: str, tree_id: str) -> None:
        self._pins[version].pop(tree_id, None)

    async def pins(self, version: str, *, limit: int) -> list[str]:
        now = self._now()
        kept = {tree: until for tree, until in self._pins[version].items() if until > now}
        self._pins[version] = kept
        return sorted(kept, key=lambda tree: kept[tree])[:limit]

    async def add_reward(self, version: str, tree_id: str, reward: float) -> None:
        self._rewards[version][tree_id] = reward

    async def rewards(self, version: str) -> Mapping[str, float]:
        return dict(self._rewards[version])

    async def clear_rewards(self, *versions: str) -> None:
        for version in versions:
            self._rewards.pop(version, None)

    async def stations(self) -> Mapping[str, Station]:
        return dict(self._stations)

    async def set_station(self, replica: str, station: Station, *, token: str) -> bool:
        if not self._holds(token):
            return False
        self._stations[replica] = station
        return True

    async def lease(self, token: str, *, ttl_s: float) -> bool:
        holder, until = self._lease
        if holder not in {"", token} and until > self._now():
            return False
        self._lease = (token, self._now() + ttl_s)
        return True

    async def release(self, token: str) -> None:
        if self._lease[0] == token:
            self._lease = ("", 0.0)

    async def close(self) -> None:
        """Nothing to close."""

    def _holds(self, token: str) -> bool:
        return self._lease[0] == token and self._lease[1] > self._now()
