"""The outbox port: solves whose end somebody must be told of, each until that is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """The end of one generation of a tree. `num_attempts` counts this one."""

    tree_id: str
    generation: int
    num_attempts: int


class Outbox(Protocol):
    """FINISH of the root puts a notice in, in the same step. All methods raise StoreUnavailable."""

    async def take(self, *, lease_s: float, limit: int) -> list[Notice]:
        """Notices that are due, at most about `limit`, hidden from others for `lease_s`.

        What is neither done nor put back by then is due again: its taker has died.
        """
        ...

    async def done(self, notice: Notice) -> None:
        """Forget it. Repeating this changes nothing."""
        ...

    async def again(self, notice: Notice, delay_s: float) -> None:
        """Due again after `delay_s`."""
        ...

    async def close(self) -> None: ...
