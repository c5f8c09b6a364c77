"""Limits: the rules of a tree, fixed when it is admitted. What is left to spend is the budget."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from banyan.prices import MAX_USD, NANO

FEW_WORDS_TOKENS = 48
"""An answer that may be no longer is a name, a number or a list, not a text in sentences."""


class Limits(BaseModel):
    """Upper bounds for one tree. Enforced by the store, not by the prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_depth: int = Field(
        6, ge=0, le=32, description="Levels below the root; 0 means no children."
    )
    max_nodes: int = Field(
        2_000, ge=1, le=1_000_000, description="Nodes of the tree, root included."
    )
    max_tokens: int = Field(
        2_000_000,
        ge=256,
        le=10_000_000_000,
        description="Prompt and completion tokens over all nodes.",
    )
    max_parallel: int = Field(256, ge=1, le=10_000, description="Nodes dispatched at one time.")
    max_answer_tokens: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="Length of the answer; null: an eighth of the window. A window has room for an "
        f"answer of a quarter of it. Up to {FEW_WORDS_TOKENS}, agents answer in a few words.",
    )
    deadline_s: float = Field(
        600.0, ge=1.0, le=86_400.0, description="Seconds from admission to the best answer so far."
    )
    max_cost_usd: float | None = Field(
        None,
        ge=1 / NANO,
        le=MAX_USD,
        description="Money over all nodes, by the prices of their policies; null: no limit.",
    )

    @property
    def wants_few_words(self) -> bool:
        """Whether the answer is to be too short for sentences."""
        return self.max_answer_tokens is not None and self.max_answer_tokens <= FEW_WORDS_TOKENS

    @property
    def has_price(self) -> bool:
        """Whether money is limited."""
        return self.max_cost_usd is not None

    @property
    def max_nano_usd(self) -> int:
        """The limit in nano-dollars; 0 where money is not limited, and then nobody asks for it."""
        return 0 if self.max_cost_usd is None else round(self.max_cost_usd * NANO)
