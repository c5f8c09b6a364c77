"""Retry: when a call is made again. All calls of the SDK may be repeated without harm."""

from __future__ import annotations

import random
from collections.abc import Callable

from banyan.client.errors import ClientError, ServiceProblem, ServiceUnreachable

FIRST_DELAY_S = 0.25
MAX_DELAY_S = 8.0

_PASSING = frozenset({429, 502, 503, 504})


class Retry:
    """Counts the attempts of one call. A stream that gets on begins to count anew.

    `draw` is uniform in [0, 1): delays are spread over their upper half, so that clients that
    failed together do not come back together.
    """

    def __init__(
        self,
        max_attempts: int,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._max_attempts = max_attempts
        self._draw = draw
        self._failures = 0

    def delay_s(self, failure: ClientError) -> float:
        """Seconds until the next attempt. Raises `failure` where there should be none."""
        self._failures += 1
        if self._failures >= self._max_attempts or not _is_passing(failure):
            raise failure
        delay_s = FIRST_DELAY_S * 2.0 ** (self._failures - 1) * (1.0 - self._draw() / 2)
        if isinstance(failure, ServiceProblem) and failure.retry_after_s is not None:
            delay_s = max(delay_s, failure.retry_after_s)
        return min(delay_s, MAX_DELAY_S)

    def progress(self) -> None:
        """Something came; what failed before is forgotten."""
        self._failures = 0


def _is_passing(failure: ClientError) -> bool:
    if isinstance(failure, ServiceProblem):
        return failure.status in _PASSING
    return isinstance(failure, ServiceUnreachable)
