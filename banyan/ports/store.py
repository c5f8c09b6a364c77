"""The store port: the durable tree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

from banyan.budget import Budget
from banyan.node import Outcome
from banyan.ports.queue import Hint
from banyan.quotas import TenantSpending
from banyan.tree import Event, NodeRecord, TreeRecord, TreeStatus


@dataclass(frozen=True, slots=True)
class Admission:
    """A tree to start. `root` is the root's packed state; repeated admissions change nothing."""

    tree_id: str
    tenant: str
    task: bytes
    root: bytes
    budget: Budget
    max_parallel: int
    deadline_s: float
    fingerprint: str
    """Hash of the request; the same key with another fingerprint is a Conflict."""
    policy: str = "base"
    """The root's; those of children come with them."""
    notifies: bool = False
    """Whether the tree's end goes into the outbox."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came of an admission, and how the tree stands, so that nobody has to ask for it."""

    created: bool
    """False where it was there before."""
    tree: TreeRecord
    hints: Sequence[Hint] = ()


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one node until it expires. `epoch` fences off every earlier owner."""

    tree_id: str
    path: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A node that this worker now owns, with all that it needs to go on."""

    lease: Lease
    packed: bytes
    budget: Budget
    policy: str
    deadline_at: float
    now: float
    generation: int
    attempts: int
    queued_at: float
    outcomes: tuple[Outcome, ...]
    """Of its children, in order, where it was suspended; else empty."""
    suspended_epoch: int | None = None
    """Under which it was last suspended."""
    parent_epoch: int | None = None
    """Under which its parent was suspended for it."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What was claimed, and hints for what came into the queue in its place."""

    nodes: tuple[Claimed, ...] = ()
    hints: Sequence[Hint] = ()


@dataclass(frozen=True, slots=True)
class ChildNode:
    """A child to create: its packed state, its share of the budget, and what it runs on."""

    packed: bytes
    budget: Budget
    policy: str = "base"


@dataclass(frozen=True, slots=True)
class Spent:
    """What one turn used, in the words of `Spending`. Tokens and money count against the budget."""

    llm_calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    nano_usd: int = 0
    actions: int = 0
    invalid_actions: int = 0
    retries: int = 0
    determined_actions: int = 0
    coalesced_calls: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Spent) -> Spent:
        names = [field.name for field in fields(self)]
        return Spent(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class Reserve:
    """The most that one turn can spend; charged where nobody knows what it did spend."""

    tokens: int = 0
    nano_usd: int = 0


@dataclass(frozen=True, slots=True)
class TurnLog:
    """A turn's record (packed, opaque to the store), what it spent, and what its event says.

    The record is empty where calls were paid for that led to no turn; it is not kept then.
    """

    record: bytes
    spent: Spent
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of a tenant's trees, newest first, without their outcomes.

    `next` is where the part behind this one begins; None at the end. A part may be shorter than
    was asked for, where trees have just gone.
    """

    trees: tuple[TreeRecord, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """Leases that are lost: taken over by another worker, or their tree was cancelled.

    A lease that its owner has just ended by `spawn` or `finish` is not among them.
    """

    lost: tuple[Lease, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """How all trees together stand. Counters only grow, as long as the store keeps its data."""

    due_nodes: int
    """Dispatched, and not claimed by any worker; what quotas and limits hold back is not due."""
    oldest_due_s: float
    """Since when the one that has waited longest is due; 0 where none is."""
    running_nodes: int
    """Under a lease."""
    unlogged_trees: int
    """Finished, and not in the trajectory log yet."""
    notices: int
    """Ends that somebody has not been told of yet."""
    expired_leases: int
    """A counter: of workers that fell silent."""
    lost_trees: int
    """A counter: given up, since the workers that had the root fell silent again and again."""
    used_bytes: int = 0
    """Memory of the store's servers."""
    max_bytes: int = 0
    """The most they may use; 0 where nobody has set a limit."""


class Store(Protocol):
    """The durable tree. Every method is one atomic transition on the store's own clock.

    Writers pass their lease; a write under an old epoch raises StaleLease and changes nothing.
    Methods that make nodes ready return hints to send; a hint that is lost is found by `reap`.
    """

    async def admit(self, admission: Admission) -> Admitted:
        """Create the tree, unless it is there. Conflict: it is, under another fingerprint."""
        ...

    async def claim(
        self,
        tree_id: str,
        paths: Sequence[str],
        *,
        worker: str,
        lease_s: float,
        reserves: Mapping[str, Reserve],
    ) -> Claims:
        """Lease those of `paths` that are ready.

        An expiring lease charges what `reserves` has for the node's policy; nothing else.
        """
        ...

    async def renew(self, leases: Sequence[Lease], *, lease_s: float) -> Renewal:
        """Extend many leases at once and learn which are lost."""
        ...

    async def turn(self, lease: Lease, log: TurnLog, packed: bytes) -> Budget:
        """Record a turn and the node's new state before the turn takes effect. Budget left."""
        ...

    async def spawn(
        self,
        lease: Lease,
        children: Sequence[ChildNode],
        *,
        packed: bytes,
        kept: Budget,
        log: TurnLog | None,
        event: Mapping[str, Any],
        shared: tuple[str, bytes] | None = None,
    ) -> list[Hint]:
        """Create the children and suspend the node, with the turn that decided it, atomically.

        The budgets of the children and `kept` must add up to what the node has after the turn.
        `shared`: a name, and what these children share under it for as long as the tree is kept.
        """
        ...

    async def shared(self, tree_id: str, name: str) -> bytes:
        """What a spawn stored for its children. Raises NotFound."""
        ...

    async def finish(
        self, lease: Lease, outcome: Outcome, *, log: TurnLog | None, packed: bytes | None = None
    ) -> list[Hint]:
        """End the node: unspent budget to its parent; the last child makes the parent ready."""
        ...

    async def release(self, leases: Sequence[Lease]) -> list[Hint]:
        """Hand leases back unharmed, so that other workers can claim the nodes at once."""
        ...

    async def delta(self, lease: Lease, data: Mapping[str, Any]) -> None:
        """Append an `answer.delta` event of the root's answer while it is generated."""
        ...

    async def derive(self, lease: Lease, document: str) -> None:
        """Take note of a derived document before it is stored: it goes when the tree does."""
        ...

    async def cancel(self, tree_id: str) -> bool:
        """Cancel every unfinished node, deepest first. False where the tree was finished."""
        ...

    async def resume(
        self, tree_id: str, *, extra: Budget, deadline_s: float, key: str | None = None
    ) -> tuple[bool, list[Hint]]:
        """Re-open a finished tree: incomplete nodes run again as a new generation.

        False where there is nothing to run again. Conflict: the tree is still running. The `key`
        of the resume before changes nothing, however the tree stands by now.
        """
        ...

    async def delete(self, tree_id: str, tenant: str) -> bool:
        """Forget a finished tree; what was not logged of it never is. Conflict: it runs.

        False where the tenant has no such tree.
        """
        ...

    async def reap(self, *, limit: int = 256) -> list[Hint]:
        """Find overdue queued and overdue running nodes; return hints to send again."""
        ...

    async def get_tree(self, tree_id: str) -> TreeRecord:
        """Raises NotFound."""
        ...

    async def get_node(self, tree_id: str, path: str) -> NodeRecord:
        """With packed state and turns. Raises NotFound."""
        ...

    async def list_nodes(
        self, tree_id: str, *, offset: int, limit: int
    ) -> tuple[list[NodeRecord], int]:
        """Nodes in the order of creation, and how many there are in all."""
        ...

    async def list_trees(
        self, tenant: str, *, status: TreeStatus | None, after: str | None, limit: int
    ) -> Listing:
        """The tenant's trees, newest first, from behind `after`: the `next` of another listing."""
        ...

    def events(self, tree_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        """Events with `seq > after`, then new ones as they happen; ends after `tree.finished`.

        Raises EventsTrimmed where the next one is not kept any more.
        """
        ...

    async def spending(self, tenant: str) -> TenantSpending:
        """What the tenant's turns have used lately, those in flight at their last turn."""
        ...

    async def now(self) -> float:
        """Seconds since the epoch on the store's own clock, which deadlines are told in."""
        ...

    async def survey(self) -> Survey:
        """Count what waits and what runs, in one round trip a shard, whatever their number."""
        ...

    async def ping(self) -> None:
        """Raises StoreUnavailable."""
        ...

    async def close(self) -> None: ...
