"""Keys and signing secrets in the memory of one process: the twin of `redis_access.py`."""

from __future__ import annotations

from banyan.access import ApiKey
from banyan.errors import Conflict, NotFound
from banyan.signing import SigningSecrets


class MemoryAccess:
    """`banyan.ports.AccessStore` without a server."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._signing: dict[str, SigningSecrets] = {}

    async def add(self, key: ApiKey) -> None:
        if key.prefix in self._keys:
            raise Conflict("there is a key with this prefix")
        self._keys[key.prefix] = key

    async def find(self, prefix: str) -> ApiKey | None:
        return self._keys.get(prefix)

    async def keys(self, tenant: str | None = None) -> list[ApiKey]:
        found = [key for key in self._keys.values() if tenant in {None, key.tenant}]
        return sorted(found, key=lambda key: (key.created_at, key.prefix))

    async def revoke(self, prefix: str, at: float) -> ApiKey:
        kept = self._keys.get(prefix)
        if kept is None:
            raise NotFound(f"there is no key {prefix}")
        if kept.revoked_at is None:
            kept = self._keys[prefix] = kept.model_copy(update={"revoked_at": at})
        return kept

    async def signing(self, tenant: str) -> SigningSecrets:
        return self._signing.setdefault(tenant, SigningSecrets.new())

    async def rotate(self, tenant: str, now: float) -> SigningSecrets:
        secrets = (await self.signing(tenant)).rotated(now)
        self._signing[tenant] = secrets
        return secrets

    async def close(self) -> None:
        """Nothing to close."""
