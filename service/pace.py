"""Pace: how fast a tenant's latest trees went, and how many tokens their text had a character."""

from __future__ import annotations

from dataclasses import dataclass

from banyan.errors import NotFound
from banyan.estimate import COMPLETION_WEIGHT, Pace
from banyan.node import ROOT_PATH, Node
from banyan.ports import Store
from banyan.state import unpack
from banyan.task import Task
from banyan.tree import TreeRecord

NUM_TREES = 10
"""Of the latest that were completed, those that ran on the policy in question count."""


@dataclass(frozen=True, slots=True)
class Measured:
    """None where nothing was measured yet."""

    pace: Pace | None = None
    tokens_per_char: float | None = None


async def measured(store: Store, tenant: str, policy: str) -> Measured:
    """From the latest trees of this tenant on this policy."""
    listing = await store.list_trees(tenant, status="completed", after=None, limit=NUM_TREES)
    work = calls_s = walls_s = 0.0
    densities = []
    num_trees = 0
    for listed in listing.trees:
        if unpack(listed.task, Task).policy != policy:
            continue
        try:
            tree = await store.get_tree(listed.id)
            root = await store.get_node(listed.id, ROOT_PATH)
        except NotFound:
            continue  # it has just gone
        if root.packed and (density := unpack(root.packed, Node).tokens_per_char):
            densities.append(density)
        if tree.outcome is not None and tree.finished_at and tree.outcome.sequential_s > 0:
            num_trees += 1
            work += _work(tree)
            calls_s += tree.outcome.sequential_s
            walls_s += tree.finished_at - tree.created_at
    pace = None
    if work > 0 and calls_s > 0:
        parallel = max(1.0, calls_s / walls_s) if walls_s > 0 else 1.0
        pace = Pace(
            work_per_s=round(work / calls_s, 1), parallel=round(parallel, 2), num_trees=num_trees
        )
    return Measured(pace, sum(densities) / len(densities) if densities else None)


def _work(tree: TreeRecord) -> float:
    usage = tree.usage
    return usage.prompt_tokens - usage.cached_tokens + COMPLETION_WEIGHT * usage.completion_tokens
