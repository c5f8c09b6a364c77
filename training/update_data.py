"""Update data: from a folder of logged trees to the rows of one update, and what they are like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from banyan.trajectory import LoggedNode
from training import forests
from training.credit import Baseline, Credit, assign
from training.dataset import Survey, eligible_nodes, survey
from training.eligibility import Rules, version_number
from training.logged_rows import LoggedRows, logged_rows
from training.node_lines import NodeLine, NodeLines, Success
from training.rows import Selected, select
from training.training_rows import TrainingRow, training_rows
from training.update_errors import NewerRows, NothingToTrain


@dataclass(frozen=True, slots=True)
class DataSettings:
    """`parent` is the version that is trained; `max_tokens` the longest row.

    Only trees whose group's name begins with `group_prefix` train. `value_baseline`: a value head
    says what to expect, so that a tree may be alone in its group.
    """

    parent: str = "base"
    lambda_: float = 0.0
    baseline: Baseline = "root"
    max_staleness: int = 2
    max_tokens: int = 8192
    skip_damaged: bool = False
    group_prefix: str = ""
    value_baseline: bool = False


@dataclass(frozen=True, slots=True)
class UpdateData:
    """Rows to train on, and figures of the trees that they are of."""

    rows: list[TrainingRow]
    policy_index: int
    first_tree: str
    last_tree: str
    num_trees: int
    num_nodes: int
    num_proxies: int
    """Nodes that took their root's success for want of one of their own."""
    reward_by_depth: dict[int, float]
    delegation_rate: float
    """The share of nodes that have children."""
    tree_size: float
    """Mean number of nodes."""
    left_out: dict[str, dict[str, int]]
    """`trees`, `turns` and `rows` that do not train, by reason."""


def update_data(log: Path, settings: DataSettings) -> UpdateData:
    """Read the log, give credit and make rows.

    Raises the RecordError of the first damage (unless `skip_damaged`), UnreadableFile, NoNodes,
    NothingToTrain and NewerRows.
    """
    rules = Rules(value_baseline=settings.value_baseline, group_prefix=settings.group_prefix)
    found = survey(log, rules)
    if found.damage and not settings.skip_damaged:
        raise found.damage[0]
    nodes = list(eligible_nodes(log, found))
    if not nodes:
        raise NothingToTrain(f"{log}: none of {len(found.rows)} trees may train{_why(found)}")
    grown = forests.grow(_lines(log, nodes))
    # The trainer's value head gives its own advantages; those of credit are not looked at then.
    alone_T = np.zeros(len(grown.forest.group_T)) if settings.value_baseline else None
    credit = assign(
        grown.forest,
        lambda_=settings.lambda_,
        baseline=settings.baseline,
        value_baseline_T=alone_T,
    )
    logged = logged_rows(nodes)
    index = version_number(settings.parent)
    _check_not_newer(logged, index, settings.parent)
    selected = select(
        training_rows(logged, credit),
        policy_index=index,
        max_staleness=settings.max_staleness,
        max_tokens=settings.max_tokens,
    )
    left_out = {
        "trees": dict(found.reasons) | {"damaged": len(found.damage)},
        "turns": dict(logged.left_out),
        "rows": _rows_left_out(selected),
    }
    if not selected.rows:
        raise NothingToTrain(f"{log}: no row of {len(nodes)} nodes may train: {left_out}")
    trees = sorted({node.tree_id for node in nodes})
    parents = {(node.tree_id, node.parent_id) for node in nodes if node.parent_id is not None}
    return UpdateData(
        rows=selected.rows,
        policy_index=index,
        first_tree=trees[0],
        last_tree=trees[-1],
        num_trees=len(trees),
        num_nodes=len(nodes),
        num_proxies=int(grown.by_proxy_N.sum()),
        reward_by_depth=_reward_by_depth(nodes, credit),
        delegation_rate=len(parents) / len(nodes),
        tree_size=len(nodes) / len(trees),
        left_out=left_out,
    )


def _lines(log: Path, nodes: Sequence[LoggedNode]) -> NodeLines:
    """What credit is made of; the log's reader has checked that the trees are whole."""
    lines = [
        NodeLine(
            tree_id=node.tree_id,
            group_id=node.group_id,
            node_id=node.node_id,
            parent_id=node.parent_id,
            depth=node.depth,
            success=Success(node.success.value if node.success else None),
        )
        for node in nodes
    ]
    return NodeLines(str(log), lines, list(range(1, len(nodes) + 1)))


def _check_not_newer(logged: LoggedRows, policy_index: int, parent: str) -> None:
    indices = [row.oldest_policy_index for row in logged.rows]
    newest = max([*indices, *(choice.policy_index for choice in logged.choices)], default=0)
    if newest > policy_index:
        raise NewerRows(f"the log holds turns of version {newest}; the parent is {parent}")


def _rows_left_out(selected: Selected[TrainingRow]) -> dict[str, int]:
    return {
        "stale": selected.num_stale,
        "empty": selected.num_empty,
        "long": selected.num_long,
    }


def _reward_by_depth(nodes: Sequence[LoggedNode], credit: Credit) -> dict[int, float]:
    depth_N = np.array([node.depth for node in nodes])
    return {
        depth: float(credit.reward_N[depth_N == depth].mean())
        for depth in sorted(set(depth_N.tolist()))
    }


def _why(found: Survey) -> str:
    reasons: Counter[str] = found.reasons
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    return f" ({counts})" if counts else ""
