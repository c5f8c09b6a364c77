"""Settings of a worker process."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from banyan.settings import TraitSettings


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
        180.0, ge=0, description="How long a model server that does not answer is waited for."
    )
