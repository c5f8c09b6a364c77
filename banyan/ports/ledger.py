"""The ledger port: which of a tenant's trees are under way, counted exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """What came of a reservation. `trees` and `nodes`: what is reserved now, with this one."""

    is_granted: bool
    is_new: bool
    trees: int
    nodes: int
    kept: tuple[str, ...]
    """Trees that were admitted and not released; some may have ended since."""


class Ledger(Protocol):
    """Reserve, admit, keep; release when the tree has ended. Each method is atomic.

    A reservation that is not kept ends by itself, and so does one whose tree must be over.
    All methods raise StoreUnavailable.
    """

    async def reserve(
        self,
        tenant: str,
        tree_id: str,
        *,
        nodes: int,
        max_trees: int | None,
        max_nodes: int | None,
        ttl_s: float,
    ) -> Entry:
        """Count a tree, unless it would be one too many. A tree that is counted stays counted."""
        ...

    async def keep(self, tenant: str, tree_id: str, *, ttl_s: float) -> None:
        """The tree was admitted, and ends within `ttl_s`."""
        ...

    async def release(self, tenant: str, *tree_ids: str) -> None:
        """They have ended, or were never admitted. Repeating this changes nothing."""
        ...

    async def close(self) -> None: ...
