"""Webhooks: what a caller is told when a solve has ended, in the form of Standard Webhooks.

The message says how it ended and where to read the answer; the answer itself is not in it, since it
may be confidential and the receiver's address is whatever the caller wrote. A message may come
twice; its id stays the same.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

WebhookEvent = Literal["solve.completed", "solve.partial", "solve.failed", "solve.cancelled"]
MAX_URL_CHARS = 2_048

_MINUTE, _HOUR = 60.0, 3_600.0
PAUSES_S = (
    *(5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR),
    *(10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR),
)
"""Before each further attempt, as the standard proposes; about three days in all."""
_JITTER = 0.2


class Webhook(BaseModel):
    """Where to tell of the end of a solve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        min_length=1,
        max_length=MAX_URL_CHARS,
        repr=False,
        description="An https address that everyone can reach; private ones are refused.",
        examples=["https://example.com/hooks/banyan"],
    )
    events: tuple[WebhookEvent, ...] = Field(
        (), max_length=8, description="Which ends to tell of; empty: all."
    )

    def wants(self, status: str) -> bool:
        """Whether this end is told of."""
        return not self.events or event_of(status) in self.events


def event_of(status: str) -> str:
    """The type of the message about a solve that ended so."""
    return f"solve.{status}"


def message_id(tree_id: str, generation: int) -> str:
    """The same for every attempt; another one when a solve that was resumed ends again."""
    return f"msg_{hashlib.sha256(f'{tree_id}:{generation}'.encode()).hexdigest()[:32]}"


def message(tree_id: str, status: str, *, at: float, metadata: dict[str, JsonValue]) -> str:
    """The body, as JSON; the same at every attempt. `at`: when it ended, Unix seconds."""
    data = {"id": tree_id, "status": status, "metadata": metadata}
    return json.dumps(
        {
            "type": event_of(status),
            "timestamp": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
            "data": data,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def pause_s(num_attempts: int, draw: float) -> float | None:
    """How long to wait after so many failed attempts; None: give up. `draw` in [0, 1) is chance."""
    if num_attempts > len(PAUSES_S):
        return None
    return PAUSES_S[num_attempts - 1] * (1 + _JITTER * (2 * draw - 1))
