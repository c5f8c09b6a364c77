"""Trees for tests: as lines of a file, and as columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.credit import Forest

Line = dict[str, object]


def line(
    tree: str,
    node: str,
    parent: str | None,
    depth: int,
    success: float | None,
) -> Line:
    return {
        "tree_id": tree,
        "group_id": "g",
        "node_id": node,
        "parent_id": parent,
        "depth": depth,
        "success": {"value": success, "source": "exact"},
    }


def two_trees() -> list[Line]:
    """A perfect root with two leaves, one perfect; and a root that failed, alone."""
    return [
        line("a", "0", None, 0, 1.0),
        line("a", "0.0", "0", 1, 1.0),
        line("a", "0.1", "0", 1, 0.5),
        line("b", "0", None, 0, 0.0),
    ]


def write(path: Path, lines: Sequence[Line]) -> Path:
    path.write_text("".join(f"{json.dumps(each)}\n" for each in lines), encoding="utf-8")
    return path


def forest(trees: Sequence[Sequence[tuple[int | None, float]]], groups: Sequence[int]) -> Forest:
    """Each tree is a list of (place of the parent in it, success), parents before children."""
    tree: list[int] = []
    parent: list[int] = []
    depth: list[int] = []
    success: list[float] = []
    for index, nodes in enumerate(trees):
        first = len(tree)
        for up, value in nodes:
            tree.append(index)
            parent.append(-1 if up is None else first + up)
            depth.append(0 if up is None else depth[first + up] + 1)
            success.append(value)
    return Forest(
        tree_N=np.array(tree, dtype=np.int64),
        parent_N=np.array(parent, dtype=np.int64),
        depth_N=np.array(depth, dtype=np.int64),
        success_N=np.array(success, dtype=np.float64),
        group_T=np.array(groups, dtype=np.int64),
    )
