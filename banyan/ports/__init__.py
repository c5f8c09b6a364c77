"""Ports: the seams between the kernel and the world.

`Store` keeps the durable tree, `Queue` carries hints, `Library` holds documents, `Engine` is the
model, `Packer` makes vectors for it, `Flights` knows which model calls are being made,
`TrajectoryQueue` hands finished trees to the log, `PolicyStore` keeps the versions of weights,
`Weights` changes those that a replica serves, `AccessStore` keeps API keys, `Outbox` what callers
must be told of, `Leftovers` what trees that are gone have left, `Ledger` counts a tenant's trees,
and `Metrics` and `Traces` hear what is counted, measured and timed. Each has a real adapter and an
official twin without a network in `banyan/adapters/` or `banyan/testing/`, and one contract suite
that runs against both.
"""

from __future__ import annotations

from banyan.ports.access import AccessStore
from banyan.ports.bundle import Ports
from banyan.ports.engine import (
    OWN_WEIGHTS,
    Abilities,
    CallOptions,
    Choice,
    Completion,
    Embeds,
    Engine,
    Message,
    OnDelta,
    Prompt,
    Role,
    Sampling,
)
from banyan.ports.flights import Flight, Flights
from banyan.ports.ledger import Entry, Ledger
from banyan.ports.leftovers import Leftover, Leftovers
from banyan.ports.library import Announce, DocumentInfo, Library, Nearest, Part
from banyan.ports.metrics import Metrics
from banyan.ports.outbox import Notice, Outbox
from banyan.ports.packer import Packer
from banyan.ports.policies import PolicyStore, Station
from banyan.ports.queue import Hint, Queue
from banyan.ports.store import (
    Admission,
    Admitted,
    ChildNode,
    Claimed,
    Claims,
    Lease,
    Listing,
    Renewal,
    Reserve,
    Spent,
    Store,
    Survey,
    TurnLog,
)
from banyan.ports.traces import Traces
from banyan.ports.trajectories import FinishedTree, StoredNode, Taken, TrajectoryQueue
from banyan.ports.weights import Weights

__all__ = [
    "OWN_WEIGHTS",
    "Abilities",
    "AccessStore",
    "Admission",
    "Admitted",
    "Announce",
    "CallOptions",
    "ChildNode",
    "Choice",
    "Claimed",
    "Claims",
    "Completion",
    "DocumentInfo",
    "Embeds",
    "Engine",
    "Entry",
    "FinishedTree",
    "Flight",
    "Flights",
    "Hint",
    "Lease",
    "Ledger",
    "Leftover",
    "Leftovers",
    "Library",
    "Listing",
    "Message",
    "Metrics",
    "Nearest",
    "Notice",
    "OnDelta",
    "Outbox",
    "Packer",
    "Part",
    "PolicyStore",
    "Ports",
    "Prompt",
    "Queue",
    "Renewal",
    "Reserve",
    "Role",
    "Sampling",
    "Spent",
    "Station",
    "Store",
    "StoredNode",
    "Survey",
    "Taken",
    "Traces",
    "TrajectoryQueue",
    "TurnLog",
    "Weights",
]
