"""The leftovers port: texts that solves derived and have left behind, each until it is removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Leftover:
    """Derived documents of a tree that is gone. `key` is what the port knows the tree by."""

    key: str
    tree_id: str
    tenant: str
    documents: tuple[str, ...]


class Leftovers(Protocol):
    """DELETE puts a tree's texts in, and so does REAP where a tree has expired.

    They are due DERIVED_KEPT_S later. All methods raise StoreUnavailable.
    """

    async def take(self, *, lease_s: float, limit: int) -> list[Leftover]:
        """What is due of about `limit` trees, hidden from others for `lease_s`.

        What is not done by then is due again: its taker has died.
        """
        ...

    async def done(self, leftover: Leftover) -> None:
        """Its documents are removed. Repeating this changes nothing."""
        ...

    async def close(self) -> None: ...
