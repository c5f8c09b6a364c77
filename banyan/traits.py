"""Traits: what is said about a policy beside its weights, by an operator or by training. Pure."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from banyan.action import Kind


class Traits(BaseModel):
    """Fields of a `Policy`, where each of them is explained; what is None is left as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: FiniteFloat | None = None
    threshold_overflow: FiniteFloat | None = None
    found_weight: FiniteFloat | None = None
    found_enough: float | None = Field(None, ge=0, le=1)
    kinds: tuple[Kind, ...] | None = None
    max_turns: int | None = Field(None, ge=1)
    max_invalid: int | None = Field(None, ge=1)
    briefs: bool | None = None
    cites: bool | None = None
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    json_answers: bool | None = None
    merges: bool | None = None
    word_limits: bool | None = None
    structured_children: bool | None = None
    records_at_once: int | None = Field(None, ge=1)
    overlap_tokens: int | None = Field(None, ge=0)
    gates_parts: bool | None = None
