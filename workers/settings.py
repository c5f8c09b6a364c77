"""Settings of a worker process."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from banyan.settings import Settings


class WorkerSettings(Settings):
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
    briefs: bool = Field(
        True, description="Agents write briefs and sub-goals; false for very small models."
    )
    cites: bool = Field(
        True, description="Agents name what they cite; false: it is found by shared words."
    )
    json_answers: bool = Field(
        True, description="Answers in text are written as JSON; false, without cites, as they are."
    )
    merges: bool = Field(
        True, description="Agents combine results; false: short results are joined in order."
    )
    word_limits: bool = Field(
        True, description="Agents are told how many words an answer may have."
    )
    frequency_penalty: float = Field(
        0.0, ge=-2, le=2, description="Of actions; 1 keeps very small models from repeating."
    )
    structured_children: bool = Field(
        False, description="Offer agents to ask children for objects; for larger models."
    )
    overlap_tokens: int = Field(
        0, ge=0, description="Text before a part that its reader sees too, if agents ask for none."
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
    engine_patience_s: float = Field(
        180.0, ge=0, description="How long a model server that does not answer is waited for."
    )

    @property
    def traits(self) -> dict[str, bool | float]:
        """Of the policies that are on the engine of the settings."""
        names = (
            *("briefs", "cites", "json_answers", "merges", "word_limits"),
            *("frequency_penalty", "overlap_tokens", "structured_children"),
        )
        return {name: getattr(self, name) for name in names}
