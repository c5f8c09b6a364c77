"""Prices: what tokens cost, in whole nano-dollars (1e-9 USD).

Money is counted in integers, since a budget must be conserved to the last unit in any order of
adding and taking, which floats do not do. A price of 1 USD a million tokens is 1,000 nano-dollars a
token, so that every price list in use is exact. Sums stay below 2**53, which Lua's numbers hold.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

NANO = 1_000_000_000
"""Nano-dollars of one USD."""
MAX_USD = 1_000_000
"""The largest budget; 1e15 nano-dollars."""
MOST_PER_TOKEN = 1_000_000
"""The highest price, 1,000 USD a million tokens, in nano-dollars a token."""


class Prices(BaseModel):
    """Nano-dollars a token: of a prompt, of a prompt's cached part, of what is generated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: int = Field(0, ge=0, le=MOST_PER_TOKEN)
    cached: int = Field(0, ge=0, le=MOST_PER_TOKEN)
    completion: int = Field(0, ge=0, le=MOST_PER_TOKEN)

    @property
    def are_free(self) -> bool:
        return not (self.prompt or self.cached or self.completion)

    def cost(self, prompt_tokens: int, cached_tokens: int, completion_tokens: int) -> int:
        """Nano-dollars of a call. `cached_tokens` are among the `prompt_tokens`."""
        cached = min(cached_tokens, prompt_tokens)
        return (
            (prompt_tokens - cached) * self.prompt
            + cached * self.cached
            + completion_tokens * self.completion
        )

    def at_most(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Nano-dollars of a call, however much of its prompt is cached."""
        return prompt_tokens * max(self.prompt, self.cached) + completion_tokens * self.completion

    def of_tokens(self, tokens: int) -> int:
        """Nano-dollars of `tokens` at the highest of the prices."""
        return tokens * max(self.prompt, self.cached, self.completion)


def usd(nano_usd: int) -> float:
    """Nano-dollars in USD; exact to the nano-dollar below 9,000,000 USD."""
    return nano_usd / NANO
