"""What came of a call, in a form in which two stores can be compared."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from banyan.errors import Conflict, StaleLease
from banyan.ports import Claimed, Claims

Result = tuple[str, Any]


async def attempt(acting: Awaitable[Any]) -> Result:
    """The result without its times, or the error's name."""
    try:
        value = await acting
    except (Conflict, StaleLease) as error:
        return type(error).__name__, None
    if isinstance(value, Claims):
        value = [_timeless(node) for node in value.nodes], value.hints
    return "done", value


def _timeless(claimed: Claimed) -> tuple[object, ...]:
    return (
        claimed.lease,
        claimed.packed,
        claimed.budget,
        claimed.generation,
        claimed.attempts,
        claimed.outcomes,
    )
