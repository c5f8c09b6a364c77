"""Quotas: how much one tenant may have under way and spend, and what is left of that.

Spending is counted turn by turn in the store, so that what is in flight counts. A quota decides
about new solves; one that runs already is bounded by its own limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from banyan.prices import NANO

MINUTE_S = 60
DAY_S = 86_400


class Quota(BaseModel):
    """Of one tenant; None is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trees: int | None = Field(None, ge=1)
    """Solves that are not finished."""
    nodes: int | None = Field(None, ge=1)
    """`max_nodes` of the unfinished solves together."""
    tokens_per_minute: int | None = Field(None, ge=1)
    tokens_per_day: int | None = Field(None, ge=1)
    usd_per_day: float | None = Field(None, gt=0, allow_inf_nan=False)

    @property
    def counts_trees(self) -> bool:
        return self.trees is not None or self.nodes is not None

    @property
    def counts_spending(self) -> bool:
        named = (self.tokens_per_minute, self.tokens_per_day, self.usd_per_day)
        return any(limit is not None for limit in named)


@dataclass(frozen=True, slots=True)
class TenantSpending:
    """What a tenant has used, on the store's clock (`now`: seconds since the epoch, UTC)."""

    now: float
    minute_tokens: int = 0
    """In the present minute of the clock."""
    last_minute_tokens: int = 0
    """In the one before."""
    day_tokens: int = 0
    day_nano_usd: int = 0

    @property
    def tokens_per_minute(self) -> float:
        """Over the last 60 s, as if the minute before had been even."""
        return self.minute_tokens + self.last_minute_tokens * (1 - self._elapsed_s / MINUTE_S)

    @property
    def seconds_left_today(self) -> int:
        return DAY_S - int(self.now) % DAY_S

    def seconds_until_below(self, tokens: int) -> int:
        """Until `tokens_per_minute` is below `tokens`, if nothing more is used; at least 1."""
        if self.tokens_per_minute < tokens:
            return 1
        if self.minute_tokens < tokens:
            share = (tokens - self.minute_tokens) / self.last_minute_tokens
            wait_s = MINUTE_S * (1 - share) - self._elapsed_s
        else:
            share = tokens / self.minute_tokens
            wait_s = MINUTE_S - self._elapsed_s + MINUTE_S * (1 - share)
        return max(1, math.floor(wait_s) + 1)

    @property
    def _elapsed_s(self) -> float:
        return self.now % MINUTE_S


@dataclass(frozen=True, slots=True)
class Left:
    """One quota as it stands: its name, its size, what is left, over how long, and until when."""

    name: str
    size: int
    left: int
    window_s: int | None = None
    reset_s: int | None = None


def standing(
    quota: Quota, *, trees: int = 0, nodes: int = 0, spending: TenantSpending | None = None
) -> list[Left]:
    """Every quota that is set, with what is left of it; money in thousandths of a dollar."""
    found = []
    if quota.trees is not None:
        found.append(Left("trees", quota.trees, max(0, quota.trees - trees)))
    if quota.nodes is not None:
        found.append(Left("nodes", quota.nodes, max(0, quota.nodes - nodes)))
    if spending is None:
        return found
    if (limit := quota.tokens_per_minute) is not None:
        left = max(0, limit - math.ceil(spending.tokens_per_minute))
        reset_s = spending.seconds_until_below(limit)
        found.append(Left("tokens-per-minute", limit, left, MINUTE_S, reset_s))
    today = spending.seconds_left_today
    if (limit := quota.tokens_per_day) is not None:
        left = max(0, limit - spending.day_tokens)
        found.append(Left("tokens-per-day", limit, left, DAY_S, today))
    if quota.usd_per_day is not None:
        size = round(quota.usd_per_day * 1_000)
        left = max(0, math.floor(quota.usd_per_day * 1_000 - spending.day_nano_usd * 1_000 / NANO))
        found.append(Left("milli-usd-per-day", size, left, DAY_S, today))
    return found
