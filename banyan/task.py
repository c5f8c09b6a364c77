"""Task: what was asked, exactly as it was admitted. It never changes while its tree runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from banyan.limits import Limits
from banyan.spans import Span

GateMode = Literal["always", "never", "sampled", "threshold"]


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
    state: Literal["auto", "summary"] = "auto"
    policy: str = "live"
    policies: tuple[str, ...] = ()
    leaves: str | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
