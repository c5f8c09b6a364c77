"""Plan: what a run does, fixed when it begins. The seeds of its tasks follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from banyan.limits import Limits
from training.environments.text import TextEnvironment, TextTask
from training.environments.text_catalogue import text_environment

Purpose = Literal["rollout", "evaluation", "test"]

_PURPOSES: tuple[Purpose, ...] = ("rollout", "evaluation", "test")
_SEEDS_EACH = 10_000_000
"""Tasks of one purpose and one seed of the run; those of others are other tasks."""


class Plan(BaseModel):
    """`ahead`: batches that are collected while an update runs; 0 does one after the other.

    Every batch has `num_tasks` groups of `group_size` trees. `update` are options of
    `banyan-train update`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str = "lookup"
    difficulty: int = 0
    policy: str = "base"
    num_tasks: int = Field(12, ge=1)
    group_size: int = Field(8, ge=2)
    num_evaluation_tasks: int = Field(64, ge=20)
    ahead: int = Field(1, ge=0)
    max_staleness: int = Field(2, ge=0)
    max_depth: int = Field(0, ge=0, le=32)
    max_nodes: int = Field(16, ge=1)
    num_parallel: int = Field(16, ge=1)
    seed: int = Field(0, ge=0)
    update: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        if self.ahead > self.max_staleness:
            raise ValueError("ahead: rows would be older than max_staleness allows")
        return self

    @property
    def source(self) -> TextEnvironment:
        """Raises UnknownEnvironment."""
        return text_environment(self.environment)

    @property
    def limits(self) -> Limits:
        """Of every tree."""
        return Limits(
            max_depth=self.max_depth,
            max_nodes=self.max_nodes,
            max_answer_tokens=self.source.max_answer_tokens,
        )

    def tasks(self, purpose: Purpose, first: int, count: int) -> dict[str, TextTask]:
        """Tasks `first` to `first + count` of a purpose by id. None of another has their seeds."""
        start = (len(_PURPOSES) * self.seed + _PURPOSES.index(purpose)) * _SEEDS_EACH + first
        return self.made(range(start, start + count))

    def made(self, seeds: Sequence[int]) -> dict[str, TextTask]:
        """The tasks of these seeds, by id."""
        prefix = f"{self.environment}-{self.difficulty}"
        return {f"{prefix}-{seed}": self.source.generate(seed, self.difficulty) for seed in seeds}
