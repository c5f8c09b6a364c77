"""Forests: node lines become columns, once it is sure that they are whole trees in groups.

Every structural fault is an error that names the first line that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.credit import NO_PARENT, Forest, Ints
from training.errors import (
    BadDepth,
    BadSuccess,
    CyclicNodes,
    DuplicateNode,
    MixedGroups,
    NoGroup,
    OrphanedNode,
    RecordError,
    SeveralRoots,
)
from training.node_lines import Id, NodeLines

_NONE = -1
_UNKNOWN = -2


@dataclass(frozen=True, slots=True)
class Grown:
    """Checked trees, and which nodes had no success of their own and took their root's."""

    forest: Forest
    by_proxy_N: NDArray[np.bool_]


def grow(lines: NodeLines) -> Grown:
    """The trees of `lines`, in their order. Raises RecordError."""
    trees: dict[Id, int] = {}
    tree_N = np.array([trees.setdefault(node.tree_id, len(trees)) for node in lines.nodes])
    parent_N = _parents(lines, tree_N)
    group_T = _groups(lines, tree_N)
    _check_one_root(lines, tree_N, parent_N)
    _check_no_cycle(lines, parent_N)
    depth_N = np.array([node.depth for node in lines.nodes], dtype=np.int64)
    _check_depth(lines, parent_N, depth_N)
    success_N = np.array([node.success_value for node in lines.nodes], dtype=np.float64)
    forest = Forest(tree_N, parent_N, depth_N, success_N, group_T)
    by_proxy_N = np.isnan(success_N)  # None became NaN, and no value is NaN
    root_N = forest.root_T()[tree_N]
    unknown = np.flatnonzero(np.isnan(success_N[root_N]))
    if len(unknown):
        raise _at(lines, int(root_N[unknown[0]]), BadSuccess, "a root without a success")
    success_N[by_proxy_N] = success_N[root_N[by_proxy_N]]
    return Grown(forest, by_proxy_N)


def _at(lines: NodeLines, node: int, kind: type[RecordError], message: str) -> RecordError:
    record = lines.nodes[node]
    where = f"node {record.node_id} of tree {record.tree_id}"
    return kind(f"{where}: {message}", file=lines.file, line=lines.numbers[node])


def _parents(lines: NodeLines, tree_N: Ints) -> Ints:
    """Index of each node's parent. Raises DuplicateNode and OrphanedNode.

    Ids become numbers and are looked up in a sorted array: a dict of a million pairs takes longer.
    """
    codes: dict[Id, int] = {}
    code_N = np.array([codes.setdefault(node.node_id, len(codes)) for node in lines.nodes])
    key_N = tree_N * len(codes) + code_N
    order_N = np.argsort(key_N, kind="stable")
    sorted_N = key_N[order_N]
    again = np.flatnonzero(sorted_N[1:] == sorted_N[:-1])
    if len(again):
        place = again[np.argmin(order_N[again + 1])]
        line = lines.numbers[order_N[place]]
        raise _at(lines, int(order_N[place + 1]), DuplicateNode, f"line {line} has the same")
    up_N = np.array(
        [
            _NONE if node.parent_id is None else codes.get(node.parent_id, _UNKNOWN)
            for node in lines.nodes
        ]
    )
    wanted_N = tree_N * len(codes) + up_N
    place_N = np.minimum(np.searchsorted(sorted_N, wanted_N), len(sorted_N) - 1)
    is_there_N = (up_N >= 0) & (sorted_N[place_N] == wanted_N)
    orphans = np.flatnonzero((up_N != _NONE) & ~is_there_N)
    if len(orphans):
        orphan = int(orphans[0])
        parent = lines.nodes[orphan].parent_id
        raise _at(lines, orphan, OrphanedNode, f"its parent {parent} is not in the tree")
    return np.where(is_there_N, order_N[place_N], NO_PARENT)


def _groups(lines: NodeLines, tree_N: Ints) -> Ints:
    """Index of each tree's group. Raises NoGroup and MixedGroups."""
    groups: dict[Id, int] = {}
    ids = [node.group_id for node in lines.nodes]
    group_N = np.array(
        [_UNKNOWN if i is None or i == "" else groups.setdefault(i, len(groups)) for i in ids]
    )
    without = np.flatnonzero(group_N == _UNKNOWN)
    if len(without):
        raise _at(lines, int(without[0]), NoGroup, "the tree belongs to no group")
    group_T = np.empty(tree_N.max() + 1, dtype=np.int64)
    group_T[tree_N[::-1]] = group_N[::-1]  # the first node of each tree is written last
    other = np.flatnonzero(group_T[tree_N] != group_N)
    if len(other):
        message = f"group {ids[int(other[0])]} is another than that of the tree's first node"
        raise _at(lines, int(other[0]), MixedGroups, message)
    return group_T


def _check_one_root(lines: NodeLines, tree_N: Ints, parent_N: Ints) -> None:
    """Raises SeveralRoots, and CyclicNodes where every node of a tree has a parent in it."""
    roots = np.flatnonzero(parent_N == NO_PARENT)
    num_roots_T = np.bincount(tree_N[roots], minlength=int(tree_N.max()) + 1)
    if (num_roots_T == 1).all():
        return
    rootless = np.flatnonzero(num_roots_T[tree_N] == 0)
    if len(rootless):
        raise _at(lines, int(rootless[0]), CyclicNodes, "the tree has no root")
    seen: set[int] = set()
    for root in roots.tolist():
        if int(tree_N[root]) in seen:
            raise _at(lines, root, SeveralRoots, "the tree has a root already")
        seen.add(int(tree_N[root]))


def _check_no_cycle(lines: NodeLines, parent_N: Ints) -> None:
    """Raises CyclicNodes. Every step doubles how far up each node has looked."""
    ancestor_N = np.where(parent_N == NO_PARENT, np.arange(len(parent_N)), parent_N)
    for _ in range(len(parent_N).bit_length()):
        below = parent_N[ancestor_N] != NO_PARENT
        if not below.any():
            return
        ancestor_N = ancestor_N[ancestor_N]
    cyclic = np.flatnonzero(parent_N[ancestor_N] != NO_PARENT)
    if len(cyclic):
        raise _at(lines, int(cyclic[0]), CyclicNodes, "its ancestors lead to no root")


def _check_depth(lines: NodeLines, parent_N: Ints, depth_N: Ints) -> None:
    """Raises BadDepth."""
    expected_N = np.where(parent_N == NO_PARENT, 0, depth_N[parent_N] + 1)
    wrong = np.flatnonzero(depth_N != expected_N)
    if len(wrong):
        node = int(wrong[0])
        message = f"depth {depth_N[node]}, but its place in the tree says {expected_N[node]}"
        raise _at(lines, node, BadDepth, message)
