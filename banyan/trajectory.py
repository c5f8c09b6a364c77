"""Trajectory: what one turn leaves behind, complete enough to look at it and to train from it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from banyan.node import Decision


class TurnRecord(BaseModel):
    """One turn: the choice of a kind, the action that the model wrote, and what both cost.

    Token ids are what the engine sampled. Where the kind was chosen, `choice_prompt_token_ids[C]`
    is the prompt whose next token was the kind's letter, and the decision holds the letters'
    log-probabilities. `prompt_token_ids[P]`, `completion_token_ids[T]` and `logprobs[T]` (nats, of
    the distribution named by `logprobs_kind`) belong to the action. They are None for engines that
    do not tell them; such a turn cannot train. `seconds` is the time of this turn's model calls.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int
    generation: int
    decision: Decision
    action: str
    valid: bool
    prompt_text: str
    completion_text: str
    choice_prompt_token_ids: tuple[int, ...] | None
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
