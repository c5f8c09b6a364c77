"""Credit: what each node of each tree earned, and how much it counts (RAO equations 1, 3, 4).

Pure functions on numpy arrays. Axes: N nodes of T trees in G groups; a group holds the rollouts of
one task. The formulas are those of arXiv 2605.06639; docs/rao.md says what the variants are for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Baseline = Literal["root", "success", "view"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NO_PARENT = -1


class NoPeer(ValueError):
    """Trees without another one in their group, and without a value baseline; `trees` are indices.

    Callers that know where the trees came from translate it.
    """

    def __init__(self, trees: Ints) -> None:
        super().__init__(f"{len(trees)} trees are alone in their groups and have no value baseline")
        self.trees = trees


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees as columns. Every tree has one root, and parents stand anywhere."""

    tree_N: Ints
    """Index of the node's tree, 0 to T - 1."""
    parent_N: Ints
    """Index of the parent's node, `NO_PARENT` for roots."""
    depth_N: Ints
    """0 for roots."""
    success_N: Floats
    """Local success in [0, 1]."""
    group_T: Ints
    """Index of the tree's group."""
    view_N: Ints | None = None
    """Index of what the node saw first, for the baseline `view`."""

    def root_T(self) -> Ints:
        """Index of each tree's root node."""
        roots = np.flatnonzero(self.parent_N == NO_PARENT)
        root_T = np.empty(len(self.group_T), dtype=np.int64)
        root_T[self.tree_N[roots]] = roots
        return root_T


@dataclass(frozen=True, slots=True)
class Credit:
    """What the gradient of each node is made of: `weight_N * advantage_N * grad log pi`."""

    reward_N: Floats
    advantage_N: Floats
    weight_N: Floats


def node_rewards(success_N: Floats, parent_N: Ints, lambda_: float) -> Floats:
    """Equation 1: `R(X) = s(X) + lambda * mean of s over X's children`; no bonus for leaves.

    Returns Float[N], from 0 to 1 + lambda.
    """
    children = np.flatnonzero(parent_N != NO_PARENT)
    parents, num_nodes = parent_N[children], len(success_N)
    num_children = np.bincount(parents, minlength=num_nodes)
    total = np.bincount(parents, weights=success_N[children], minlength=num_nodes)
    return success_N + lambda_ * total / np.maximum(num_children, 1)


def leave_one_out(
    value_T: Floats,
    group_T: Ints,
    value_baseline_T: Floats | None = None,
) -> Floats:
    """The mean value of the other trees in each tree's group (the baseline of equation 3).

    A tree that is alone takes `value_baseline_T`, what a value head expects of it, where that is
    given and no NaN. Returns Float[T]. Raises NoPeer.
    """
    num_trees_G = np.bincount(group_T)
    others_T = num_trees_G[group_T] - 1
    total_G = np.bincount(group_T, weights=value_T)
    baseline_T = (total_G[group_T] - value_T) / np.maximum(others_T, 1)
    alone = np.flatnonzero(others_T == 0)
    if len(alone):
        known = np.full(len(alone), np.nan)
        if value_baseline_T is not None:
            known = value_baseline_T[alone]
        if np.isnan(known).any():
            raise NoPeer(alone[np.isnan(known)])
        baseline_T[alone] = known
    return baseline_T


def of_same_view(value_N: Floats, view_N: Ints, tree_N: Ints, otherwise_N: Floats) -> Floats:
    """The mean value of the nodes of other trees that saw the same first; `otherwise_N` for none.

    What stands there depends on nothing that the node did, so that it is a baseline. Returns
    Float[N].
    """
    _, pair_N = np.unique(np.stack([view_N, tree_N]), axis=1, return_inverse=True)
    pair_N = pair_N.reshape(-1)
    others_N = np.bincount(view_N)[view_N] - np.bincount(pair_N)[pair_N]
    total_N = (
        np.bincount(view_N, weights=value_N)[view_N] - np.bincount(pair_N, weights=value_N)[pair_N]
    )
    return np.where(others_N > 0, total_N / np.maximum(others_N, 1), otherwise_N)


def depth_weights(depth_N: Ints) -> Floats:
    """Equation 4: `w_d = alpha / N_d`, `alpha = sum_d N_d / K` over the K depths that have nodes.

    Returns Float[N], whose mean is 1.
    """
    if not len(depth_N):
        return np.empty(0)
    num_at = np.bincount(depth_N)
    alpha = len(depth_N) / np.count_nonzero(num_at)
    return alpha / num_at[depth_N]


def assign(
    forest: Forest,
    *,
    lambda_: float = 0.0,
    baseline: Baseline = "root",
    value_baseline_T: Floats | None = None,
) -> Credit:
    """Reward, advantage (equation 3) and weight of every node.

    `baseline` "root" compares with the other trees' root rewards, "success" with their root
    success, "view" with the rewards of other trees' nodes that saw the same first, and with their
    roots where there is none. Raises NoPeer, and ValueError for "view" without `view_N`.
    """
    reward_N = node_rewards(forest.success_N, forest.parent_N, lambda_)
    compared_N = forest.success_N if baseline == "success" else reward_N
    baseline_T = leave_one_out(compared_N[forest.root_T()], forest.group_T, value_baseline_T)
    baseline_N = baseline_T[forest.tree_N]
    if baseline == "view":
        if forest.view_N is None:
            raise ValueError("the baseline of views needs view_N")
        baseline_N = of_same_view(reward_N, forest.view_N, forest.tree_N, baseline_N)
    return Credit(
        reward_N=reward_N,
        advantage_N=reward_N - baseline_N,
        weight_N=depth_weights(forest.depth_N),
    )
