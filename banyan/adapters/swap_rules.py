"""Rules of a swap: how long what may take, and how closely replicas must agree with the trainer."""

from __future__ import annotations

from dataclasses import dataclass, field

from banyan.adapters.stationed import FRESH_S
from banyan.promotion import Rules
from banyan.proof import FLOOR_NATS


@dataclass(frozen=True, slots=True)
class SwapRules:
    """`drain_s`: calls in flight on a replica that is reloaded have so long; then they are aborted.

    `settle_s`: between closing a replica and draining it, so that no worker still sends to it.
    `lease_s`: until another worker goes on where this one has died.
    """

    drain_s: float = 20.0
    settle_s: float = 2 * FRESH_S
    lease_s: float = 30.0
    floor_nats: float = FLOOR_NATS
    promotion: Rules = field(default_factory=Rules)
