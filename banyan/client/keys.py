"""Keys as the service shows them: never the key itself, but once, when it is made."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from banyan.access import Scope


class KeyInfo(BaseModel):
    """One API key. Times are Unix seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str = Field(description="Names the key in lists and logs, and opens nothing.")
    tenant: str
    scopes: tuple[Scope, ...]
    name: str
    created_at: float
    expires_at: float | None
    revoked_at: float | None


class NewKey(KeyInfo):
    """A key that was just made."""

    key: str = Field(repr=False, description="Shown this once. Only its hash is kept.")


class KeyList(BaseModel):
    """Keys, oldest first, revoked ones too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[KeyInfo, ...]
