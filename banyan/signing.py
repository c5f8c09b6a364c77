"""Signing secrets: what a tenant's webhooks are signed with, and what they were signed with before.

The form is that of Standard Webhooks: `whsec_` and base64. After a rotation both sign for a day, so
that receivers can change over without losing a message.
"""

from __future__ import annotations

import base64
import secrets
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

OVERLAP_S = 86_400.0


class SigningSecrets(BaseModel):
    """Of one tenant. `previous` signs too, until `previous_until` (seconds since the epoch)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current: str = Field(repr=False)
    previous: str | None = Field(None, repr=False)
    previous_until: float = 0.0

    @classmethod
    def new(cls) -> Self:
        """A tenant's first secret."""
        return cls(current=_new())

    def rotated(self, now: float) -> Self:
        """A new secret; the present one signs beside it for a day."""
        return self.model_copy(
            update={
                "current": _new(),
                "previous": self.current,
                "previous_until": now + OVERLAP_S,
            }
        )

    def valid(self, now: float) -> tuple[str, ...]:
        """What signs at this time."""
        if self.previous is None or now >= self.previous_until:
            return (self.current,)
        return (self.current, self.previous)


def _new() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
