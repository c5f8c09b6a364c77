"""Pace: how fast a tenant's latest trees went, and how they compared with what was planned."""

from __future__ import annotations

from dataclasses import dataclass

from banyan.errors import NotFound
from banyan.estimate import COMPLETION_WEIGHT, Pace, Plan, Ratios, estimate
from banyan.likely import ratios
from banyan.node import ROOT_PATH, Node
from banyan.ports import Store
from banyan.specialists import Specialist
from banyan.state import unpack
from banyan.task import Task
from banyan.tree import TreeRecord, Usage

NUM_TREES = 10
"""Of the latest that were completed, those that ran on the policy in question count."""


@dataclass(frozen=True, slots=True)
class Measured:
    """None where nothing was measured yet."""

    pace: Pace | None = None
    tokens_per_char: float | None = None
    ratios: Ratios | None = None


async def measured(
    store: Store, tenant: str, own: Specialist, reader: Specialist | None
) -> Measured:
    """From the latest trees of this tenant on the policy of `own`.

    Those whose parts were read by another one than `reader` say nothing of plans with it.
    """
    leaves = None if reader is None else reader.policy.version
    listing = await store.list_trees(tenant, status="completed", after=None, limit=NUM_TREES)
    work = calls_s = walls_s = 0.0
    densities = []
    grown: list[tuple[Plan, Usage]] = []
    num_trees = 0
    for listed in listing.trees:
        task = unpack(listed.task, Task)
        if task.policy != own.policy.version:
            continue
        try:
            tree = await store.get_tree(listed.id)
            root = await store.get_node(listed.id, ROOT_PATH)
        except NotFound:
            continue  # it has just gone
        density = unpack(root.packed, Node).tokens_per_char if root.packed else None
        if density:
            densities.append(density)
        if task.leaves == leaves:
            num_chars = sum(span.end - span.start for span in task.inputs)
            planned = estimate(task, num_chars, own=own, reader=reader, tokens_per_char=density)
            grown.append((planned.most, tree.usage))
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
    density = sum(densities) / len(densities) if densities else None
    return Measured(pace, density, ratios(grown))


def _work(tree: TreeRecord) -> float:
    usage = tree.usage
    return usage.prompt_tokens - usage.cached_tokens + COMPLETION_WEIGHT * usage.completion_tokens
