"""The time to a first token, where a prompt's beginning is in the cache, and where it is not."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass

from banyan.ports import OWN_WEIGHTS, CallOptions, Engine, Message, Prompt, Sampling

NUM_SHARED = 1_500
NUM_OWN = 32
_TOKEN_IDS = range(1_000, 40_000)
"""Words of any vocabulary of that size; control tokens stand at its ends."""


@dataclass(frozen=True, slots=True)
class FirstToken:
    """Medians over pairs of prompts that share their first `NUM_SHARED` tokens."""

    cold_s: float
    cached_s: float
    cached_share: float
    """Of the shared tokens."""

    @property
    def said(self) -> str:
        """A line of the output."""
        return (
            f"first token of {NUM_SHARED} shared and {NUM_OWN} own tokens: computed "
            f"{self.cold_s:.3f} s, from the cache {self.cached_s:.3f} s "
            f"({self.cold_s / self.cached_s:.1f} times shorter), "
            f"{100 * self.cached_share:.0f} % of the shared tokens cached"
        )


async def first_token(engine: Engine, num_pairs: int) -> FirstToken:
    """Ask pairs of random prompts, each pair under a salt of its own."""
    # Random, so that no pair's prompt begins as another's; the same in every run.
    source = random.Random(0)  # noqa: S311
    cold: list[float] = []
    cached: list[float] = []
    shares: list[float] = []
    for number in range(num_pairs):
        shared = source.choices(_TOKEN_IDS, k=NUM_SHARED)
        options = CallOptions(
            salt=f"first-token-{source.random()}-{number}",
            policy=OWN_WEIGHTS,
            sampling=Sampling(temperature=0.0, seed=0),
        )
        for times in (cold, cached):
            token_ids = (*shared, *source.choices(_TOKEN_IDS, k=NUM_OWN))
            prompt = Prompt((Message("user", ""),), token_ids, len(token_ids))
            reply = await engine.complete(prompt, schema=None, max_tokens=1, options=options)
            times.append(reply.seconds)
        shares.append(reply.cached_tokens / NUM_SHARED)
    return FirstToken(statistics.median(cold), statistics.median(cached), statistics.median(shares))
