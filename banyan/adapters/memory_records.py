"""What the in-memory store shows of its trees and nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from banyan.adapters.hints import Ready
from banyan.adapters.memory_forest import Forest
from banyan.adapters.memory_trees import NodeState, TreeState
from banyan.errors import NotFound
from banyan.node import ROOT_PATH
from banyan.ports import Survey
from banyan.tree import NodeRecord, TreeRecord


def queued(tree: TreeState, nodes: Iterable[NodeState]) -> Iterator[Ready]:
    """Those of `nodes` that were dispatched and not claimed yet."""
    for node in nodes:
        if node.status == "queued" and node.dispatched:
            yield tree.id, node.path, node.continuation


def place_of(tree: TreeState) -> str:
    """Its place in lists: by the time of admission, then by its id."""
    return f"{round(tree.created_at * 1000):015d}|{tree.id}"


def node_record(node: NodeState) -> NodeRecord:
    return NodeRecord(
        path=node.path,
        policy=node.policy,
        status=node.status,
        generation=node.generation,
        epoch=node.epoch,
        attempts=node.attempts,
        budget=node.budget,
        num_children=node.num_children,
        queued_at=node.queued_at,
        claimed_at=node.claimed_at,
        finished_at=node.finished_at,
        spent=node.spent,
        outcome=node.outcome,
    )


def tree_record(tree: TreeState) -> TreeRecord:
    return TreeRecord(
        id=tree.id,
        tenant=tree.admission.tenant,
        status=tree.status,
        task=tree.admission.task,
        created_at=tree.created_at,
        deadline_at=tree.deadline_at,
        finished_at=tree.finished_at,
        generation=tree.generation,
        last_event=tree.last_event,
        first_event=tree.last_event - len(tree.events) + 1,
        usage=tree.usage,
        outcome=tree.nodes[ROOT_PATH].outcome,
    )


def survey_of(forest: Forest) -> Survey:
    """How all trees together stand."""
    nodes = [node for tree in forest.trees.values() for node in tree.nodes.values()]
    due = [node.due_since for node in nodes if node.status == "queued" and node.dispatched]
    return Survey(
        due_nodes=len(due),
        oldest_due_s=max(0.0, forest.clock() - min(due)) if due else 0.0,
        running_nodes=sum(node.status == "running" for node in nodes),
        unlogged_trees=len(forest.unlogged),
        notices=len(forest.outbox),
        expired_leases=forest.num_expired_leases,
        lost_trees=forest.num_lost_trees,
    )


def shared_state(forest: Forest, tree_id: str, name: str) -> bytes:
    """What the children of one spawn share, packed. Raises NotFound."""
    found = forest.tree(tree_id).shared.get(name)
    if found is None:
        raise NotFound(f"solve {tree_id} has no shared state {name}")
    return found
