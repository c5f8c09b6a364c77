"""Keys and signing secrets in Redis or Valkey, in a hash slot of their own."""

from __future__ import annotations

from typing import Any

from banyan.access import ApiKey
from banyan.adapters.on_redis import OnRedis
from banyan.errors import Conflict, NotFound
from banyan.signing import SigningSecrets


class RedisAccess(OnRedis):
    """`banyan.ports.AccessStore` on a server.

    When a key was revoked is a hash of its own, so that nothing that is kept is ever rewritten.
    """

    @property
    def _tag(self) -> str:
        return f"{{{self._namespace}access}}"

    async def add(self, key: ApiKey) -> None:
        data = key.model_dump_json()
        if not await self._ask("HSETNX", "keys", key.prefix, data):
            kept = await self.find(key.prefix)
            if kept is None or kept.sha256 != key.sha256:  # else it is this call, repeated
                raise Conflict("there is a key with this prefix")

    async def find(self, prefix: str) -> ApiKey | None:
        kept = await self._ask("HGET", "keys", prefix)
        if kept is None:
            return None
        return _loaded(kept, await self._ask("HGET", "revoked", prefix))

    async def keys(self, tenant: str | None = None) -> list[ApiKey]:
        kept, revoked = await self._ask("HGETALL", "keys"), await self._ask("HGETALL", "revoked")
        found = [_loaded(data, revoked.get(prefix)) for prefix, data in kept.items()]
        return sorted(
            (key for key in found if tenant in {None, key.tenant}),
            key=lambda key: (key.created_at, key.prefix),
        )

    async def revoke(self, prefix: str, at: float) -> ApiKey:
        if await self.find(prefix) is None:
            raise NotFound(f"there is no key {prefix}")
        await self._ask("HSETNX", "revoked", prefix, repr(at))
        revoked = await self.find(prefix)
        if revoked is None:
            raise NotFound(f"there is no key {prefix}")
        return revoked

    async def signing(self, tenant: str) -> SigningSecrets:
        kept = await self._ask("HGET", "signing", tenant)
        if kept is None:
            await self._ask("HSETNX", "signing", tenant, _dumped(SigningSecrets.new()))
            kept = await self._ask("HGET", "signing", tenant)
        return SigningSecrets.model_validate_json(kept)

    async def rotate(self, tenant: str, now: float) -> SigningSecrets:
        secrets = (await self.signing(tenant)).rotated(now)
        await self._ask("HSET", "signing", tenant, _dumped(secrets))
        return secrets

    async def _ask(self, command: str, part: str, *arguments: str) -> Any:
        return await self._command(command, f"{self._tag}:{part}", *arguments)


def _loaded(data: bytes, revoked: bytes | None) -> ApiKey:
    key = ApiKey.model_validate_json(data)
    return key.model_copy(update={"revoked_at": float(revoked) if revoked else None})


def _dumped(secrets: SigningSecrets) -> str:
    return secrets.model_dump_json()
