"""Listing: what the service says of many solves at once. Answers are read one by one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from banyan.client.results import Usage
from banyan.tree import TreeStatus


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SolveSummary(_Model):
    """One solve in a list. Times are seconds since the epoch on the store's clock."""

    id: str
    status: TreeStatus
    goal: str = Field(description="Its beginning, at most 200 characters.")
    policy: str = Field(description="The version of the weights that the root is pinned to.")
    created_at: float
    deadline_at: float
    finished_at: float | None = None
    generation: int = Field(description="1, and one more with each resume.")
    usage: Usage
    metadata: dict[str, JsonValue] = {}


class SolvePage(_Model):
    """Solves, newest first. A page may be shorter than was asked for although there are more."""

    solves: tuple[SolveSummary, ...]
    next: str | None = Field(
        None, description="The `cursor` of the page behind this one; null at the end."
    )
