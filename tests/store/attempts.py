"""What came of a call, in a form in which two stores can be compared."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from banyan.errors import Conflict, StaleLease
from banyan.ports import Admitted, Claimed, Claims

Result = tuple[str, Any]

_TIMES = ("created_at", "deadline_at", "finished_at")


async def attempt(acting: Awaitable[Any]) -> Result:
    """The result without its times, or the error's name."""
    try:
        value = await acting
    except (Conflict, StaleLease) as error:
        return type(error).__name__, None
    if isinstance(value, Claims):
        value = [_timeless(node) for node in value.nodes], value.hints
    if isinstance(value, Admitted):
        stands = value.tree.model_copy(update=dict.fromkeys(_TIMES, 0.0))
        value = value.created, stands, value.hints
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
