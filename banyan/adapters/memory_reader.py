"""What can be read of the trees in memory: the part of the store that changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

from banyan.adapters.memory_forest import Forest, is_final
from banyan.adapters.memory_records import node_record, shared_state, tree_record
from banyan.errors import NotFound
from banyan.tree import Event, NodeRecord, TreeRecord


class MemoryReader:
    """The reads of `banyan.ports.Store`."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest

    @property
    def forest(self) -> Forest:
        """The trees themselves, for the twin of the trajectory queue."""
        return self._forest

    async def get_tree(self, tree_id: str) -> TreeRecord:
        return tree_record(self._forest.tree(tree_id))

    async def get_node(self, tree_id: str, path: str) -> NodeRecord:
        node = self._forest.tree(tree_id).nodes.get(path)
        if node is None:
            raise NotFound(f"solve {tree_id} has no node {path}")
        return node_record(node).model_copy(
            update={"packed": node.packed, "turns": tuple(node.turns)}
        )

    async def shared(self, tree_id: str, name: str) -> bytes:
        return shared_state(self._forest, tree_id, name)

    async def list_nodes(
        self, tree_id: str, *, offset: int, limit: int
    ) -> tuple[list[NodeRecord], int]:
        nodes = list(self._forest.tree(tree_id).nodes.values())
        return [node_record(node) for node in nodes[offset : offset + limit]], len(nodes)

    async def events(self, tree_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        tree = self._forest.tree(tree_id)
        while True:
            changed = tree.changed
            for event in tree.events[after:]:
                after = event.seq
                yield event
            if after >= len(tree.events):
                if is_final(tree):
                    return
                await changed.wait()
