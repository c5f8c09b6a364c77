"""The trajectory queue's twin: trees that finished in the in-memory store."""

from __future__ import annotations

from banyan.adapters.memory_records import shared_state, tree_record
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.memory_trees import NodeState
from banyan.ports import FinishedTree, StoredNode, Taken
from banyan.state import pack
from banyan.tree import TreeRecord


class MemoryTrajectoryQueue:
    """`banyan.ports.TrajectoryQueue` of a `MemoryStore` that was made with `logs`."""

    def __init__(self, store: MemoryStore) -> None:
        self._forest = store.forest

    async def take(self, *, lease_s: float, limit: int) -> Taken:
        forest, now = self._forest, self._forest.clock()
        free = [key for key, at in forest.unlogged.items() if at <= now][:limit]
        for key in free:
            forest.unlogged[key] = now + lease_s
        num_lost, forest.num_unlogged_lost = forest.num_unlogged_lost, 0
        return Taken(tuple(FinishedTree(*key) for key in free), num_lost)

    async def acknowledge(self, tree: FinishedTree) -> None:
        self._forest.unlogged.pop((tree.tree_id, tree.generation), None)

    async def tree(self, tree_id: str) -> TreeRecord:
        return tree_record(self._forest.tree(tree_id))

    async def nodes(self, tree_id: str, *, offset: int, limit: int) -> tuple[StoredNode, ...]:
        nodes = list(self._forest.tree(tree_id).nodes.values())
        return tuple(_stored(node) for node in nodes[offset : offset + limit])

    async def shared(self, tree_id: str, name: str) -> bytes:
        return shared_state(self._forest, tree_id, name)

    async def close(self) -> None:
        """Nothing to close."""


def _stored(node: NodeState) -> StoredNode:
    return StoredNode(
        path=node.path,
        packed=node.packed,
        outcome=pack(node.outcome) if node.outcome else None,
        turns=tuple(node.turns),
        queued_at=node.queued_at,
        claimed_at=node.claimed_at,
        finished_at=node.finished_at,
    )
