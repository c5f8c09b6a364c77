"""The first key of an installation, written straight into its state store.

Whoever reaches the store could do everything anyway; there is no key yet to ask the service with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from banyan.access import Scope, mint
from banyan.adapters.redis_access import RedisAccess
from banyan.client.keys import NewKey


def create(
    redis_url: str,
    *,
    tenant: str,
    scopes: Sequence[Scope],
    name: str,
    expires_in_s: float | None = None,
) -> NewKey:
    """Make a key without the service. Raises StoreUnavailable."""
    now = time.time()
    key, kept = mint(
        tenant,
        tuple(dict.fromkeys(scopes)),
        name=name,
        now=now,
        expires_at=None if expires_in_s is None else now + expires_in_s,
    )

    async def keep() -> None:
        access = RedisAccess(redis_url, retry_s=5.0)
        try:
            await access.add(kept)
        finally:
            await access.close()

    asyncio.run(keep())
    return NewKey(key=key, **kept.model_dump(exclude={"sha256"}))
