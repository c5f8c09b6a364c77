"""Access: who calls, for which tenant, and what they may do. Of a key, only its hash is kept.

A key is `bny_PREFIX_SECRET`. The prefix names it in lists and logs; the secret has 256 random bits,
so that its plain SHA-256 cannot be searched, and no slow hash is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

Scope = Literal["solve", "documents", "policies", "webhooks", "admin"]
"""`admin` makes and revokes keys, of every tenant, and reads metrics; the others are what their
paths are named."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
TENANT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
PREFIX_PATTERN = r"^bny_[a-z2-7]{12}$"
DEFAULT_TENANT = "default"
"""Whose requests they are where nobody is authenticated."""

_KEY = re.compile(r"(bny_[a-z2-7]{12})_[A-Za-z0-9_-]{43}")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


class ApiKey(BaseModel):
    """A key as it is kept. Times are seconds since the epoch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str = Field(pattern=PREFIX_PATTERN)
    sha256: str = Field(repr=False)
    tenant: str = Field(pattern=TENANT_PATTERN)
    scopes: tuple[Scope, ...]
    name: str = ""
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None

    def is_live(self, now: float) -> bool:
        """Whether it opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `by` is for logs: a key's prefix, `oidc`, or `nobody`."""

    tenant: str
    scopes: frozenset[Scope]
    by: str

    @classmethod
    def nobody(cls) -> Self:
        """Everyone, where requests are not authenticated."""
        return cls(DEFAULT_TENANT, frozenset(SCOPES), "nobody")


def mint(
    tenant: str,
    scopes: tuple[Scope, ...],
    *,
    name: str = "",
    now: float,
    expires_at: float | None = None,
) -> tuple[str, ApiKey]:
    """A new key, and what is kept of it. The key itself is never seen again."""
    prefix = "bny_" + "".join(secrets.choice(_ALPHABET) for _ in range(12))
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    return key, ApiKey(
        prefix=prefix,
        sha256=_hash(key),
        tenant=tenant,
        scopes=scopes,
        name=name,
        created_at=now,
        expires_at=expires_at,
    )


def prefix_of(key: str) -> str | None:
    """What names the key; None for what has not the form of a key."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def opens(key: str, kept: ApiKey, now: float) -> bool:
    """Whether this is the kept key, and it is neither revoked nor over."""
    return hmac.compare_digest(_hash(key), kept.sha256) and kept.is_live(now)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
