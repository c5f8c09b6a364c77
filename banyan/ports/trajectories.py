"""The trajectory queue: finished trees that wait to be logged, and what is to be read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from banyan.tree import TreeRecord


@dataclass(frozen=True, slots=True)
class FinishedTree:
    """A tree that FINISH has queued. One that was opened again finishes as a new generation."""

    tree_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What one writer has for now. `num_lost`: trees that expired since the last look, unlogged."""

    trees: tuple[FinishedTree, ...]
    num_lost: int = 0


@dataclass(frozen=True, slots=True)
class StoredNode:
    """A node as it lies in the store, packed. Times are seconds since the epoch."""

    path: str
    packed: bytes
    outcome: bytes | None
    turns: tuple[bytes, ...]
    queued_at: float
    claimed_at: float | None
    finished_at: float | None


class TrajectoryQueue(Protocol):
    """Finished trees, each until a writer acknowledges it or the tree itself expires."""

    async def take(self, *, lease_s: float, limit: int) -> Taken:
        """At most about `limit` trees, hidden from other writers for `lease_s`."""
        ...

    async def acknowledge(self, tree: FinishedTree) -> None:
        """The tree is logged: forget it. Repeating this changes nothing."""
        ...

    async def tree(self, tree_id: str) -> TreeRecord:
        """Raises NotFound."""
        ...

    async def nodes(self, tree_id: str, *, offset: int, limit: int) -> tuple[StoredNode, ...]:
        """Nodes in the order of creation; fewer than `limit` at the end. NotFound: one expired."""
        ...

    async def shared(self, tree_id: str, name: str) -> bytes:
        """What the children of one spawn share, packed. Raises NotFound."""
        ...

    async def close(self) -> None: ...
