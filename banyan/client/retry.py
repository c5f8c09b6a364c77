"""Retry: when a call is made again. All calls of the SDK may be repeated without harm."""

from __future__ import annotations

import random
from collections.abc import Callable

from banyan.client.errors import ClientError, ServiceProblem, ServiceUnreachable

FIRST_DELAY_S = 0.25
MAX_DELAY_S = 8.0
FIRST_ATTEMPTS = 4
LATER_ATTEMPTS = 8
"""For 12 to 24 s, which a service takes at most to be started again."""

_PASSING = frozenset({429, 502, 503, 504})


class Attempts:
    """How often a call is made in all. `given`: the caller's own number.

    Who calls a service that is not there should hear of it soon. A service that has answered
    before is most likely being restarted, and is waited for.
    """

    def __init__(self, given: int | None) -> None:
        self.max = given or FIRST_ATTEMPTS
        self._is_given = given is not None

    def answered(self) -> None:
        """The service is there."""
        if not self._is_given:
            self.max = LATER_ATTEMPTS


class Retry:
    """Counts the attempts of one call. A stream that gets on begins to count anew.

    `draw` is uniform in [0, 1): delays are spread over their upper half, so that clients that
    failed together do not come back together.
    """

    def __init__(
        self,
        attempts: Attempts,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._attempts = attempts
        self._draw = draw
        self._failures = 0

    def delay_s(self, failure: ClientError) -> float:
        """Seconds until the next attempt. Raises `failure` where there should be none."""
        self._failures += 1
        if self._failures >= self._attempts.max or not _is_passing(failure):
            raise failure
        delay_s = FIRST_DELAY_S * 2.0 ** (self._failures - 1) * (1.0 - self._draw() / 2)
        if isinstance(failure, ServiceProblem) and failure.retry_after_s is not None:
            delay_s = max(delay_s, failure.retry_after_s)
        return min(delay_s, MAX_DELAY_S)

    def progress(self) -> None:
        """Something came; what failed before is forgotten."""
        self._attempts.answered()
        self._failures = 0


def _is_passing(failure: ClientError) -> bool:
    if isinstance(failure, ServiceProblem):
        return failure.status in _PASSING
    return isinstance(failure, ServiceUnreachable)
