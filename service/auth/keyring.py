"""Keyring: from the header `Authorization` to the caller. A key is looked up at every request.

Nothing is remembered between requests: a key that was revoked opens nothing from then on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from banyan.access import Caller, opens, prefix_of
from banyan.ports import AccessStore
from service.problems import Refused

if TYPE_CHECKING:
    from service.auth.oidc import TokenIssuer

_HINT = "Send `Authorization: Bearer KEY`; `banyan keys create` makes one. See docs/security.md."


class Keyring:
    """`issuer`: whose tokens are taken beside keys. `clock` tells seconds since the epoch."""

    def __init__(
        self,
        access: AccessStore,
        issuer: TokenIssuer | None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._access = access
        self._issuer = issuer
        self._clock = clock

    async def caller(self, authorization: str | None) -> Caller:
        """Raises Refused (401) for who is not known, and StoreUnavailable."""
        kind, _, credential = (authorization or "").partition(" ")
        credential = credential.strip()
        if kind.lower() != "bearer" or not credential:
            raise unauthenticated("The request carries no key.", code="unauthenticated")
        prefix = prefix_of(credential)
        if prefix is None:
            if self._issuer is None:
                raise unauthenticated("This is no key of this service.", code="invalid_key")
            return await self._issuer.caller(credential)
        kept = await self._access.find(prefix)
        if kept is None or not opens(credential, kept, self._clock()):
            raise unauthenticated(
                "The key is not known, was revoked, or has expired.", code="invalid_key"
            )
        return Caller(kept.tenant, frozenset(kept.scopes), kept.prefix)


def unauthenticated(message: str, *, code: str) -> Refused:
    """401, as RFC 6750 has it. What was sent is never repeated."""
    challenge = 'Bearer realm="banyan"'
    if code != "unauthenticated":
        challenge += ', error="invalid_token"'
    return Refused(
        message, code=code, hint=_HINT, status=401, headers={"WWW-Authenticate": challenge}
    )
