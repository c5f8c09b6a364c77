"""The flights port: model calls that are in flight in an installation, by what they ask.

Whoever asks first leads: it makes the call, holds a lease while it does, and lands the reply. All
others wait for the reply; where the lease ends without one, the next of them leads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Flight:
    """What joining found: the call is the caller's to make, or its reply (packed), or neither."""

    leads: bool
    reply: bytes | None = None


class Flights(Protocol):
    """`key` names a call, `token` who asks. All calls raise StoreUnavailable."""

    async def join(self, key: str, token: str, *, lease_s: float) -> Flight:
        """Lead where nobody does, for `lease_s`. Safe to repeat: a leader goes on leading."""
        ...

    async def renew(self, key: str, token: str, *, lease_s: float) -> None:
        """Lead for `lease_s` from now. Nothing happens where `token` leads no more."""
        ...

    async def land(self, key: str, token: str, reply: bytes, *, keep_s: float) -> None:
        """Leave the reply for `keep_s`. Nothing happens where `token` leads no more."""
        ...

    async def leave(self, key: str, token: str) -> None:
        """Lead no more, without a reply. Nothing happens where `token` leads no more."""
        ...

    async def close(self) -> None: ...
