"""What can be read of the trees in memory: the part of the store that changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

from banyan.adapters.memory_forest import Forest
from banyan.adapters.memory_records import (
    node_record,
    place_of,
    shared_state,
    survey_of,
    tree_record,
)
from banyan.adapters.memory_trees import is_final
from banyan.adapters.store_rules import trimmed
from banyan.errors import NotFound
from banyan.ports import Listing, Survey
from banyan.quotas import TenantSpending
from banyan.tree import Event, NodeRecord, TreeRecord, TreeStatus


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

    async def survey(self) -> Survey:
        return survey_of(self._forest)

    async def spending(self, tenant: str) -> TenantSpending:
        return self._forest.spending.of(tenant)

    async def now(self) -> float:
        return self._forest.clock()

    async def ping(self) -> None:
        """Always there."""

    async def close(self) -> None:
        """Nothing to close."""

    async def shared(self, tree_id: str, name: str) -> bytes:
        return shared_state(self._forest, tree_id, name)

    async def list_nodes(
        self, tree_id: str, *, offset: int, limit: int
    ) -> tuple[list[NodeRecord], int]:
        nodes = list(self._forest.tree(tree_id).nodes.values())
        return [node_record(node) for node in nodes[offset : offset + limit]], len(nodes)

    async def list_trees(
        self, tenant: str, *, status: TreeStatus | None, after: str | None, limit: int
    ) -> Listing:
        known = (self._forest.find(tree_id) for tree_id in tuple(self._forest.trees))
        wanted = [
            tree
            for tree in known
            if tree is not None
            and tree.admission.tenant == tenant
            and status in {None, tree.status}
            and (after is None or place_of(tree) < after)
        ]
        wanted.sort(key=place_of, reverse=True)
        shown = wanted[:limit]
        return Listing(
            tuple(tree_record(tree).model_copy(update={"outcome": None}) for tree in shown),
            place_of(shown[-1]) if len(wanted) > limit else None,
        )

    async def events(self, tree_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        tree = self._forest.tree(tree_id)
        while True:
            changed = tree.changed
            while after < tree.last_event:
                index = after - (tree.last_event - len(tree.events))
                if index < 0:
                    raise trimmed(tree_id)
                event = tree.events[index]
                after = event.seq
                yield event
            if after >= tree.last_event:
                if is_final(tree):
                    return
                await changed.wait()
