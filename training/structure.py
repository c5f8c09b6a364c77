"""Structure: that the records of a tree make one whole tree, and that what belongs together fits.

Each check raises the RecordError that names the line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from banyan.trajectory import LoggedNode, LoggedTurn
from training.errors import (
    BadDepth,
    CyclicNodes,
    DuplicateNode,
    MixedGroups,
    OrphanedNode,
    SeveralRoots,
)
from training.log_errors import BadLogprob, EmptyGroup, LengthsDisagree, MissingNodes


def check_tree(file: str, nodes: Sequence[LoggedNode], lines: Sequence[int]) -> None:
    """All of a tree's records, in the order of the file."""
    by_id: dict[str, LoggedNode] = {}
    for node, line in zip(nodes, lines, strict=True):
        if node.node_id in by_id:
            raise DuplicateNode(f"node {node.node_id} a second time", file=file, line=line)
        by_id[node.node_id] = node
    for node, line in zip(nodes, lines, strict=True):
        _check_place(file, line, node, by_id, nodes[0])
        _check_turns(file, line, node)
    expected = nodes[0].tree.num_nodes
    if len(nodes) != expected:
        raise MissingNodes(
            f"tree {nodes[0].tree_id} has {expected} nodes, here are {len(nodes)}",
            file=file,
            line=lines[-1],
        )


def _check_place(
    file: str, line: int, node: LoggedNode, by_id: dict[str, LoggedNode], first: LoggedNode
) -> None:
    if node.group_id != first.group_id:
        raise MixedGroups(
            f"node {node.node_id} is of another group than its tree", file=file, line=line
        )
    if node.group_id == "" or (node.group_id is None and node.tree.profile == "rollout"):
        raise EmptyGroup(f"node {node.node_id} has no group", file=file, line=line)
    if node.parent_id is None:
        if node.node_id != first.node_id:
            raise SeveralRoots(f"node {node.node_id} is a second root", file=file, line=line)
        if node.depth:
            raise BadDepth(f"the root has depth {node.depth}", file=file, line=line)
        return
    parent = by_id.get(node.parent_id)
    if parent is None:
        raise OrphanedNode(
            f"node {node.node_id}: its parent {node.parent_id} is not here", file=file, line=line
        )
    if _leads_back(node, by_id):
        raise CyclicNodes(f"node {node.node_id} is its own ancestor", file=file, line=line)
    if node.depth != parent.depth + 1:
        raise BadDepth(
            f"node {node.node_id} has depth {node.depth}, its parent {parent.depth}",
            file=file,
            line=line,
        )


def _leads_back(node: LoggedNode, by_id: dict[str, LoggedNode]) -> bool:
    """Whether the ancestors of a node come to an end. An orphan's are another check's."""
    above: LoggedNode | None = node
    for _ in range(len(by_id) + 1):
        if above is None or above.parent_id is None:
            return False
        above = by_id.get(above.parent_id)
    return True


def _check_turns(file: str, line: int, node: LoggedNode) -> None:
    for turn in node.turns:
        where = f"node {node.node_id}, turn {turn.index}"
        lengths = {
            len(part)
            for part in (turn.completion_token_ids, turn.logprobs, turn.action_token_mask)
            if part is not None
        }
        if len(lengths) > 1:
            raise LengthsDisagree(
                f"{where}: token ids, log-probabilities and mask differ in length",
                file=file,
                line=line,
            )
        if (turn.completion_token_ids is None) != (turn.action_token_mask is None):
            raise LengthsDisagree(f"{where}: a mask without token ids", file=file, line=line)
        if not all(math.isfinite(value) and value <= 0 for value in _logprobs(turn)):
            raise BadLogprob(f"{where}: a log-probability above 0", file=file, line=line)


def _logprobs(turn: LoggedTurn) -> tuple[float, ...]:
    chosen = (turn.choice.logprobs or {}).values()
    return (*(turn.logprobs or ()), *chosen)
