"""Policies as the service shows them: versions, their states, and which one new solves get."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from banyan.manifest import Manifest
from banyan.versions import State


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PolicyVersion(_Model):
    """One version of a policy's weights."""

    version: str
    policy: str
    kind: Literal["adapter", "full"]
    parent: str
    state: State
    changed_at: float = Field(description="Unix seconds.")
    reasons: tuple[str, ...] = Field(description="Why it was rejected, or could not be moved.")
    changes: dict[str, Any] = Field(description="Traits and threshold that it has of its own.")


class PolicyDetail(PolicyVersion):
    """With everything that was published about it."""

    manifest: Manifest


class PolicyLine(_Model):
    """Which versions of one policy are in service."""

    live: str = Field(description="What new solves get; the policy's own name: its own weights.")
    previous: str | None = Field(description="Where a rollback goes.")
    canary: str | None
    canary_share: float = Field(description="Of new solves.")
    moving_to: str | None = Field(description="What is being loaded and proved now.")


class PolicyList(_Model):
    """All policies that have versions, and all versions, oldest first."""

    policies: dict[str, PolicyLine]
    versions: tuple[PolicyVersion, ...]
