"""Settings of a worker process."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from banyan.settings import EngineConcurrency, TraitSettings

Coalesce = Literal["off", "worker", "installation"]


class WorkerSettings(TraitSettings):
    """Environment variables with the prefix `BANYAN_`, for example `BANYAN_SLOTS`."""

    slots: int = Field(64, ge=1, le=10_000, description="Nodes that run here at one time.")
    threads: int = Field(4, ge=1, le=64, description="Celery messages that are looked at together.")
    renew_s: float = Field(
        0.4, gt=0, description="Between two renewals of leases; a cancel is noticed within it."
    )
    reap_s: float = Field(1.0, gt=0, description="Between two looks for overdue nodes.")
    grace_s: float = Field(
        20.0, ge=0, description="After SIGTERM: time for turns in flight before leases go back."
    )
    trajectory_days: float = Field(
        30.0, ge=0, description="How long the trajectory log is kept, in days; 0: for ever."
    )
    redaction: str = Field(
        "",
        description="Operator's `module:function` that each record of the log goes through.",
    )
    engine_policy_dir: Path | None = Field(
        None, description="Where the model servers see the folder of policies; default: the same."
    )
    swap_s: float = Field(1.0, gt=0, description="Between two looks at the weights of replicas.")
    drain_s: float = Field(
        20.0, ge=0, description="Of calls in flight on a replica that is reloaded; then they abort."
    )
    proof_floor_nats: float = Field(
        0.1, ge=0, description="The least tolerance of a proof: mean gap to the trainer, a token."
    )
    canary_trees: int = Field(
        64, ge=20, description="Rewards of each side before a canary is promoted or rejected."
    )
    alive_file: Path | None = Field(
        None, description="Touched every second while the worker's loop turns; for liveness probes."
    )
    engine_patience_s: float = Field(
        180.0,
        ge=0,
        description="How long a model server that does not answer is waited for, from the first "
        "call that failed.",
    )
    engine_concurrency: EngineConcurrency = Field(
        "auto",
        description="Calls in flight of this worker at one model server; others wait here. `auto`: "
        "as many as the server takes, found by its queue; `off`: no limit; or a number.",
    )
    store_patience_s: float = Field(
        300.0, ge=0, description="How long a node waits for a store that is away or full."
    )
    coalesce: Coalesce = Field(
        "worker",
        description="Who shares equal deterministic calls in flight: nobody, the nodes of a worker "
        "process, or those of all (two round trips to the state store a call).",
    )
    result_cache_s: float = Field(
        0.0,
        ge=0,
        le=86_400,
        description="How long replies of finished calls are given to who asks the same; needs "
        "`installation`.",
    )

    @model_validator(mode="after")
    def _cache_where_it_is_shared(self) -> Self:
        if self.result_cache_s and self.coalesce != "installation":
            raise ValueError("BANYAN_RESULT_CACHE_S needs BANYAN_COALESCE=installation")
        return self
