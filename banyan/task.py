"""Task: what was asked, exactly as it was admitted. It never changes while its tree runs."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from banyan.limits import Limits
from banyan.spans import Span
from banyan.webhooks import Webhook

StateForm = Literal["summary", "prefix", "hidden"]
"""In which form a parent hands its context to its children; see `banyan/packed_state.py`."""
StateChoice = Literal["auto", "summary", "prefix", "hidden"]
GateMode = Literal["always", "never", "sampled", "threshold"]
Profile = Literal["serve", "rollout"]
"""`rollout`: sampled by the policy alone, at temperature 1 and top_p 1, to train on."""


class Gate(BaseModel):
    """How a node decides whether to delegate; see `banyan/gate.py`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: GateMode = Field(
        "threshold", description="`threshold` compares the delegation score with the threshold."
    )
    threshold: float | None = Field(
        None, description="Nats; null takes the threshold that was published with the policy."
    )


class Task(BaseModel):
    """One request to solve `goal` over `inputs`, within `limits`.

    The root runs on `policy`. `policies` are those that descendants may run on; none: as the root.
    `leaves` reads the parts that fit its window, see `banyan/specialists.py`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    goal: str
    inputs: tuple[Span, ...] = ()
    answer_schema: dict[str, Any] | None = None
    limits: Limits = Limits()
    gate: Gate = Gate()
    state: StateChoice = "auto"
    policy: str = "live"
    policies: tuple[str, ...] = ()
    leaves: str | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    profile: Profile = "serve"
    group_id: str | None = None
    """Of a rollout: which trees grew from the same task, and are compared with one another."""
    train: bool = True
    """False: nothing of what is read or written here goes into the trajectory log."""
    webhook: Webhook | None = None

    @model_validator(mode="after")
    def _profile_holds(self) -> Self:
        problem = profile_problem(
            self.profile, group_id=self.group_id, gate=self.gate, train=self.train
        )
        if problem is not None:
            raise ValueError(problem)
        return self


def profile_problem(
    profile: Profile, *, group_id: str | None, gate: Gate, train: bool
) -> str | None:
    """What keeps a task from having this profile, in a sentence; None where nothing does."""
    if profile == "serve":
        return None if group_id is None else "group_id belongs to the profile rollout"
    if not group_id:
        return "the profile rollout needs a group_id"
    if gate.mode != "sampled":
        return "the profile rollout needs the gate mode sampled"
    return None if train else "a rollout is there to be trained on; leave train as it is"
