"""What the in-memory store keeps of a tree and of its nodes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from banyan.budget import Budget
from banyan.node import Outcome, depth_of
from banyan.ports import Admission, Reserve
from banyan.tree import FINAL, Event, NodeStatus, Spending, TreeStatus, Usage, shard_of


@dataclass(slots=True)
class NodeState:
    """One node. Times are seconds on the store's clock."""

    path: str
    packed: bytes
    policy: str
    budget: Budget
    queued_at: float
    serial: int
    status: NodeStatus = "queued"
    generation: int = 1
    epoch: int = 0
    attempts: int = 0
    num_children: int = 0
    open_children: int = 0
    continuation: bool = False
    dispatched: bool = False
    resent: int = 0
    reserve: Reserve = field(default_factory=Reserve)
    lease_until: float = 0.0
    due_at: float = 0.0
    due_since: float = 0.0
    suspended_epoch: int | None = None
    claimed_at: float | None = None
    finished_at: float | None = None
    outcome: Outcome | None = None
    spent: Spending = field(default_factory=Spending)
    turns: list[bytes] = field(default_factory=list)

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Order of dispatch: continuations before children, deeper first, then by age."""
        return (not self.continuation, -depth_of(self.path), self.serial)

    @property
    def late_since(self) -> float | None:
        """When its lease, or the time for its hint, is over; None where neither is awaited."""
        if self.status == "running":
            return self.lease_until
        return self.due_at if self.status == "queued" and self.dispatched else None

    @property
    def complete(self) -> bool:
        return self.outcome is not None and self.outcome.status == "ok" and self.outcome.complete


@dataclass(slots=True)
class TreeState:
    """One tree with its nodes in the order of creation and its events."""

    admission: Admission
    created_at: float
    deadline_at: float
    status: TreeStatus = "queued"
    finished_at: float | None = None
    generation: int = 1
    resume_key: str | None = None
    cancelled: bool = False
    num_dispatched: int = 0
    usage: Usage = field(default_factory=lambda: Usage(nodes=1))
    nodes: dict[str, NodeState] = field(default_factory=dict)
    shared: dict[str, bytes] = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)
    backlog: set[str] = field(default_factory=set)
    events: deque[Event] = field(default_factory=deque)
    """The newest ones, up to `last_event`."""
    last_event: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        return self.admission.tree_id

    @property
    def tenant(self) -> tuple[int, str]:
        """Dispatch is bounded for each tenant in each shard."""
        return shard_of(self.id), self.admission.tenant

    @property
    def open(self) -> list[NodeState]:
        """Unfinished nodes, deepest first."""
        unfinished = [node for node in self.nodes.values() if node.status != "finished"]
        return sorted(unfinished, key=lambda node: -depth_of(node.path))


def children_of(tree: TreeState, node: NodeState) -> Iterable[NodeState]:
    """In the order of their index."""
    return [tree.nodes[f"{node.path}.{index}"] for index in range(node.num_children)]


def is_final(tree: TreeState) -> bool:
    return tree.status in FINAL
