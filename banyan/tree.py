"""Tree: one run of a task, as the store keeps it and as clients see it."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from banyan.budget import Budget
from banyan.node import Outcome

TreeStatus = Literal["queued", "running", "completed", "partial", "failed", "cancelled"]
NodeStatus = Literal["queued", "running", "suspended", "finished"]

FINAL: frozenset[TreeStatus] = frozenset({"completed", "partial", "failed", "cancelled"})

_TREE_ID = re.compile(r"solve_[0-9a-f]{28}")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spending(_Model):
    """What model calls have used."""

    llm_calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    nano_usd: int = 0
    actions: int = 0
    """Actions that a model wrote, each counted once, however often it had to be written."""
    invalid_actions: int = 0
    """Of `actions`, those that were not valid as first written."""
    retries: int = 0
    """Turns in which an action was written again, because it was not valid before."""
    determined_actions: int = 0
    """Actions of which only one was possible, so that no model had to write them."""
    coalesced_calls: int = 0
    """Calls that were not made, since another node asked the same at that time."""


class Usage(Spending):
    """What a tree has spent so far, in all and by policy."""

    nodes: int = 0
    max_depth: int = 0
    lost_tokens: int = 0
    """Reserves charged for turns whose worker died; an upper bound of what they used."""
    lost_nano_usd: int = 0
    """The same in money, where it is limited."""
    by_policy: dict[str, Spending] = {}


class TreeRecord(_Model):
    """A tree's state. Times are seconds since the epoch on the store's clock."""

    id: str
    tenant: str
    status: TreeStatus
    task: bytes
    created_at: float
    deadline_at: float
    finished_at: float | None = None
    generation: int = 1
    last_event: int = 0
    first_event: int = 1
    """The oldest that is kept; above `last_event` where none is."""
    usage: Usage = Usage()
    outcome: Outcome | None = None


class NodeRecord(_Model):
    """A node's state for people to look at; `packed` and `turns` only where they were asked for."""

    path: str
    policy: str
    status: NodeStatus
    generation: int
    epoch: int
    attempts: int
    budget: Budget
    num_children: int
    queued_at: float
    claimed_at: float | None = None
    finished_at: float | None = None
    spent: Spending = Spending()
    """By the node itself, without its descendants."""
    outcome: Outcome | None = None
    packed: bytes | None = None
    turns: tuple[bytes, ...] = ()


class Event(_Model):
    """One transition. `seq` starts at 1 and has no gaps within a tree."""

    seq: int
    type: str
    at: float
    data: dict[str, JsonValue] = {}


def tree_id(tenant: str, idempotency_key: str, num_shards: int) -> str:
    """The id of the tree that this tenant's key names, with its shard in the last two digits.

    Derived, so that an admission can be repeated after a crash without making a second tree.
    """
    digest = hashlib.sha256(f"{len(tenant)}:{tenant}:{idempotency_key}".encode()).hexdigest()
    return f"solve_{digest[:26]}{int(digest[26:34], 16) % num_shards:02x}"


def shard_of(tree: str) -> int:
    """The shard that a tree's id carries. Raises ValueError for what is no tree id."""
    if not is_tree_id(tree):
        raise ValueError(f"{tree!r} is no solve id")
    return int(tree[-2:], 16)


def is_tree_id(value: str) -> bool:
    """Whether `value` has the form of a tree's id."""
    return _TREE_ID.fullmatch(value) is not None


def final_status(outcome: Outcome) -> TreeStatus:
    """What a tree ends as, given its root's outcome."""
    if outcome.status == "cancelled":
        return "cancelled"
    if outcome.status == "ok" and outcome.complete:
        return "completed"
    return "partial" if outcome.answer is not None else "failed"


def as_json(event: Event) -> dict[str, Any]:
    """The event as it goes over the wire."""
    return event.model_dump(mode="json")
