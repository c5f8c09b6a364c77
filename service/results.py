"""Results: a tree's record, and what the library holds, as the reply that clients read."""

from __future__ import annotations

from functools import partial

from banyan import citations, tree
from banyan.client.results import SolveResult, Spent, Timing, Usage
from banyan.errors import ForeignVersion
from banyan.node import ROOT_PATH, Node, Outcome
from banyan.ports import Library, Store
from banyan.prices import usd
from banyan.state import unpack
from banyan.task import Task
from banyan.tree import FINAL, TreeRecord

UNMEASURED_TOKENS_PER_CHAR = 0.25
"""About English; used where no node of the tree has measured its inputs."""


async def result_of(record: TreeRecord, store: Store, library: Library) -> SolveResult:
    """The reply for `record`; answer, citations, coverage and timing once it is finished."""
    task = unpack(record.task, Task)
    outcome = record.outcome
    base = SolveResult(
        id=record.id,
        status=record.status,
        usage=usage_of(record.usage),
        policy=task.policy,
    )
    if outcome is None or record.status not in FINAL:
        return base
    return base.model_copy(
        update={
            "answer": outcome.answer,
            "citations": await citations.resolve(
                outcome.citations, partial(library.text, record.tenant)
            ),
            "coverage": citations.coverage(
                task.inputs, outcome.covered, await _tokens_per_char(record.id, store)
            ),
            "notices": outcome.notices,
            "timing": _timing(record, outcome),
            "error": outcome.failure,
        }
    )


def usage_of(usage: tree.Usage) -> Usage:
    """What a tree spent, as callers see it: money in USD."""
    counts = usage.model_dump(exclude={"nano_usd", "lost_nano_usd", "by_policy"})
    return Usage(
        **counts,
        cost_usd=usd(usage.nano_usd),
        lost_cost_usd=usd(usage.lost_nano_usd),
        by_policy={name: spent_of(one) for name, one in usage.by_policy.items()},
    )


def spent_of(spending: tree.Spending) -> Spent:
    """What model calls used, as callers see it: money in USD."""
    counts = spending.model_dump(exclude={"nano_usd"})
    return Spent(**counts, cost_usd=usd(spending.nano_usd))


async def _tokens_per_char(tree_id: str, store: Store) -> float:
    """As the root measured it with the model's own tokenizer."""
    root = await store.get_node(tree_id, ROOT_PATH)
    try:
        measured = unpack(root.packed, Node).tokens_per_char if root.packed else None
    except ForeignVersion:  # of another release: the result can be read all the same
        measured = None
    return measured or UNMEASURED_TOKENS_PER_CHAR


def etag_of(record: TreeRecord) -> str:
    """Changes with every event of the tree."""
    return f'W/"{record.generation}-{record.last_event}"'


def _timing(record: TreeRecord, outcome: Outcome) -> Timing:
    wall_s = (record.finished_at or record.created_at) - record.created_at
    return Timing(
        wall_s=round(wall_s, 3),
        critical_path_s=round(outcome.critical_path_s, 3),
        sequential_s=round(outcome.sequential_s, 3),
        speed_up=round(outcome.sequential_s / wall_s, 2) if wall_s > 0 else None,
    )
