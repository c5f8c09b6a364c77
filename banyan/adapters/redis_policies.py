"""The registry of versions in Redis or Valkey, in a hash slot of its own."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from banyan.adapters.on_redis import OnRedis, whole_ms
from banyan.adapters.redis_scripts import Name
from banyan.errors import NotFound
from banyan.manifest import Manifest
from banyan.ports import Station
from banyan.registry import EMPTY, Registry


class RedisPolicies(OnRedis):
    """`banyan.ports.PolicyStore` on a server."""

    @property
    def _tag(self) -> str:
        return f"{{{self._namespace}policies}}"

    async def load(self) -> Registry:
        fields = await self._read("HMGET", "registry", "revision", "data")
        if fields[1] is None:
            return EMPTY
        registry = Registry.model_validate_json(fields[1])
        return registry.model_copy(update={"revision": int(fields[0])})

    async def save(self, registry: Registry, manifest: tuple[str, Manifest] | None = None) -> bool:
        arguments = {"revision": registry.revision, "data": registry.model_dump_json()}
        if manifest is not None:
            arguments |= {"version": manifest[0], "manifest": manifest[1].model_dump_json()}
        return await self._run("policies_save", **arguments)

    async def manifest(self, version: str) -> Manifest:
        found = await self._read("HGET", "manifests", version)
        if found is None:
            raise NotFound(f"there is no version {version}")
        return Manifest.model_validate_json(found)

    async def pin(self, revision: int, version: str, tree_id: str, *, ttl_s: float) -> bool:
        return await self._run(
            "policies_pin",
            revision=revision,
            version=version,
            pinned=tree_id,
            ttl_ms=whole_ms(ttl_s),
        )

    async def unpin(self, version: str, tree_id: str) -> None:
        await self._read("ZREM", f"pins:{version}", tree_id)

    async def pins(self, version: str, *, limit: int) -> list[str]:
        _, found = await self._reply("policies_pins", version=version, limit=limit)
        return [tree_id.decode() for tree_id in found]

    async def add_reward(self, version: str, tree_id: str, reward: float) -> None:
        await self._read("HSET", f"rewards:{version}", tree_id, repr(float(reward)))

    async def rewards(self, version: str) -> Mapping[str, float]:
        return {name: float(value) for name, value in await self._hash(f"rewards:{version}")}

    async def clear_rewards(self, *versions: str) -> None:
        for version in versions:
            await self._read("DEL", f"rewards:{version}")

    async def stations(self) -> Mapping[str, Station]:
        pairs = await self._hash("stations")
        return {name: Station.model_validate_json(value) for name, value in pairs}

    async def set_station(self, replica: str, station: Station, *, token: str) -> bool:
        return await self._run(
            "policies_station", replica=replica, station=station.model_dump_json(), token=token
        )

    async def lease(self, token: str, *, ttl_s: float) -> bool:
        return await self._run("policies_lease", token=token, ttl_ms=whole_ms(ttl_s))

    async def release(self, token: str) -> None:
        await self._run("policies_free", token=token)

    async def _run(self, name: Name, **arguments: Any) -> bool:
        """A transition; whether it had its effect. Its `op` makes a repetition harmless."""
        reply = await self._reply(name, op=secrets.token_hex(8), **arguments)
        return bool(reply[-1] == 1)

    async def _reply(self, name: Name, **arguments: Any) -> list[Any]:
        return await self._script(name, f"{self._tag}:registry", self._tag, arguments)

    async def _hash(self, part: str) -> list[tuple[str, bytes]]:
        found = await self._read("HGETALL", part)
        return [(name.decode(), value) for name, value in found.items()]

    async def _read(self, command: str, part: str, *arguments: str | int) -> Any:
        return await self._command(command, f"{self._tag}:{part}", *arguments)
