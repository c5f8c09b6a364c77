"""What tenants have used, as the in-memory store counts it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from banyan.quotas import DAY_S, MINUTE_S, TenantSpending


class SpendingLog:
    """Tokens and nano-dollars by tenant. `clock`: the store's, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used: dict[str, list[tuple[float, int, int]]] = defaultdict(list)
        """When, how many tokens, how many nano-dollars."""

    def add(self, tenant: str, tokens: int, nano_usd: int) -> None:
        """Now."""
        self._used[tenant].append((self._clock(), tokens, nano_usd))

    def of(self, tenant: str) -> TenantSpending:
        """What was used in this minute of the clock, the one before, and this day."""
        now, used = self._clock(), self._used[tenant]

        def between(window_s: int, back: int) -> list[tuple[float, int, int]]:
            return [one for one in used if one[0] // window_s == now // window_s - back]

        today = between(DAY_S, 0)
        return TenantSpending(
            now=now,
            minute_tokens=sum(one[1] for one in between(MINUTE_S, 0)),
            last_minute_tokens=sum(one[1] for one in between(MINUTE_S, 1)),
            day_tokens=sum(one[1] for one in today),
            day_nano_usd=sum(one[2] for one in today),
        )
