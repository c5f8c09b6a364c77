"""Keys for tests, and what to send with them."""

from __future__ import annotations

import time

from banyan.access import SCOPES, Scope, mint
from tests.service.house import House


async def key_of(house: House, tenant: str, *scopes: Scope) -> dict[str, str]:
    """The header of a new key; without scopes it has all of them."""
    key, kept = mint(tenant, scopes or SCOPES, now=time.time())
    await house.access.add(kept)
    return bearer(key)


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}
