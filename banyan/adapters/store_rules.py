"""What the durable store and its in-memory twin agree on."""

from __future__ import annotations

from banyan.budget import Budget
from banyan.errors import EventsTrimmed
from banyan.node import Failure, Outcome

MAX_EXPIRIES = 5
"""Leases of one node that may expire in one generation before it fails as `worker_lost`."""

MAX_EVENTS = 1_000_000
"""Events of one tree that are kept, the newest ones; about 200 bytes each."""

MAX_CHILDREN = 10_000
"""Children of one spawn."""

TENANT_QUEUED = 64
"""Nodes of one tenant, per shard, that are dispatched and that no worker has yet."""

TURN = 8
"""Nodes that a tree sends in its turn, so that a message of hints is worth its price."""

MAX_DOUBLINGS = 3
"""Of the pause between two hints for one node."""

DERIVED_KEPT_S = 30.0
"""Since a tree went, until its derived texts are removed: whoever was writing one has ended."""


def trimmed(tree_id: str) -> EventsTrimmed:
    """What a reader of events is told who asks for one that is not kept any more."""
    return EventsTrimmed(f"the next event of solve {tree_id} is not kept any more")


def too_little(path: str, held: Budget) -> str:
    """What a spawn beyond the node's budget is told."""
    return (
        f"node {path} holds {held.tokens} tokens, {held.nodes} nodes and {held.nano_usd} "
        f"nano-dollars, its children and what it keeps need more"
    )


CANCELLED = Outcome(
    status="cancelled",
    complete=False,
    failure=Failure(code="cancelled", message="the solve was cancelled"),
)

WORKER_LOST = Outcome(
    status="failed",
    complete=False,
    failure=Failure(
        code="worker_lost",
        message=f"the workers that ran this node were lost {MAX_EXPIRIES + 1} times",
    ),
)
