"""Fitting: how much of a text fits, by exact counts of few candidates near the limit.

Counting costs a tokeniser run over what is counted, so a text of 100,000 tokens is never counted
as a whole: candidates are about as long as what fits, and each count corrects the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from banyan.errors import PromptTooLong

CHARS_PER_TOKEN = 3.5
"""Of the first guess."""
MAX_CHARS_PER_TOKEN = 12
"""A text with more characters than this for each free token is not tried as a whole."""

Left = Callable[[int], Awaitable[int]]
"""Tokens that are left free by a candidate of size n; negative where it does not fit."""

_BISECT_EVERY = 3
"""Each third step halves the interval: interpolation alone may creep."""


async def largest(most: int, guess: int, left: Left, *, slack: int = 0) -> int:
    """The largest n in `[0, most]` that fits, or one that leaves at most `slack` tokens free.

    `left` falls about steadily with n. What is returned was measured to fit. Raises PromptTooLong
    where not even nothing fits.
    """
    low, high = 0, most + 1
    empty = low_left = await left(0)
    high_left = 0
    if empty < 0:
        raise PromptTooLong(f"the task alone takes {-empty} tokens more than the window has")
    candidate, steps = guess, 0
    while high - low > 1 and low_left > slack:
        candidate = max(low + 1, min(high - 1, candidate))
        found = await left(candidate)
        if found >= 0:
            low, low_left = candidate, found
        else:
            high, high_left = candidate, found
        steps += 1
        if high_left < 0 and steps % _BISECT_EVERY == 0:
            candidate = (low + high) // 2
        elif high_left < 0:
            candidate = low + (high - low) * low_left // (low_left - high_left)
        else:  # as dense as what was measured, but at most twice as much at one time
            candidate = min(2 * low, low + low_left * low // max(1, empty - low_left))
    return low
