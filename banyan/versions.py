"""Versions: the states that published weights go through. Pure.

    staged ──▶ verified ──▶ canary ──▶ live ──▶ retired
       │           │  └────────────────▶ ▲         │
       ▼           ▼           ▼         └─────────┘ promoted again, or a rollback to it
              rejected (for good)

A canary that is taken back without a verdict is retired too. The engine's own weights are a version
as well, named like their policy: live until something else is, then retired, never rejected.
"""

from __future__ import annotations

from typing import Literal

from banyan.errors import Conflict

State = Literal["staged", "verified", "canary", "live", "retired", "rejected"]

FOLLOWING: dict[State, frozenset[State]] = {
    "staged": frozenset({"verified", "rejected"}),
    "verified": frozenset({"canary", "live", "rejected"}),
    "canary": frozenset({"live", "retired", "rejected"}),
    "live": frozenset({"retired"}),
    "retired": frozenset({"canary", "live", "rejected"}),
    "rejected": frozenset(),
}
"""The states that may follow each one."""


def moved(version: str, state: State, to: State) -> State:
    """`to`, where it may follow `state`. Raises Conflict with what may."""
    if to not in FOLLOWING[state]:
        may = ", ".join(sorted(FOLLOWING[state])) or "nothing"
        raise Conflict(
            f"{version} is {state} and cannot become {to}",
            hint=f"A version that is {state} may become: {may}.",
        )
    return to
