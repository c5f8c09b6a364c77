"""Trajectory: what one turn leaves behind, complete enough to look at it and to train from it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from banyan.node import Decision


class TurnRecord(BaseModel):
    """One model call and the action that came of it. Token ids are what the engine sampled.

    `prompt_token_ids[P]`, `completion_token_ids[T]`, `logprobs[T]` (nats, of the distribution
    named by `logprobs_kind`). They are None for engines that do not tell them; such a turn cannot
    train. `seconds` is the time of the model calls of this turn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int
    generation: int
    decision: Decision
    action: str
    valid: bool
    prompt_text: str
    completion_text: str
    prompt_token_ids: tuple[int, ...] | None
    completion_token_ids: tuple[int, ...] | None
    logprobs: tuple[float, ...] | None
    logprobs_kind: Literal["raw", "masked"] | None
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    policy_version: str
    engine: str
    finish_reason: Literal["stop", "length"]
    temperature: float
    seconds: float
