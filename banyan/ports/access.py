"""The access port: API keys by their prefix, and the secrets that sign tenants' webhooks."""

from __future__ import annotations

from typing import Protocol

from banyan.access import ApiKey
from banyan.signing import SigningSecrets


class AccessStore(Protocol):
    """Every method is atomic. All of them raise StoreUnavailable."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key. Raises Conflict where its prefix is taken."""
        ...

    async def find(self, prefix: str) -> ApiKey | None:
        """The key with this prefix, revoked and expired ones too."""
        ...

    async def keys(self, tenant: str | None = None) -> list[ApiKey]:
        """All keys, or those of one tenant; oldest first."""
        ...

    async def revoke(self, prefix: str, at: float) -> ApiKey:
        """The key opens nothing any more. Repeating it changes nothing. Raises NotFound."""
        ...

    async def signing(self, tenant: str) -> SigningSecrets:
        """The tenant's secrets, made at the first call."""
        ...

    async def rotate(self, tenant: str, now: float) -> SigningSecrets:
        """Replace the tenant's secret; the last of two rotations at the same time counts."""
        ...

    async def close(self) -> None: ...
