"""Equations 1, 3 and 4: trees worked by hand, and what holds for every tree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.makers import forest
from training.credit import (
    Baseline,
    Floats,
    Forest,
    NoPeer,
    assign,
    depth_weights,
    leave_one_out,
    node_rewards,
)

Tree = list[tuple[int | None, float]]
LAMBDA = 0.4


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    values = draw(st.lists(st.floats(0, 1), min_size=1, max_size=12))
    return [
        (None if place == 0 else draw(st.integers(0, place - 1)), value)
        for place, value in enumerate(values)
    ]


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    """One to three groups of two to four trees each."""
    sizes = draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    return forest([draw(trees()) for _ in groups], groups)


lambdas = st.floats(0, 2)
baselines = st.sampled_from(["root", "success"])


def slow_credit(tree: Forest, lambda_: float, baseline: str) -> list[tuple[float, float, float]]:
    """The formulas as they stand in the paper, node by node."""
    nodes = range(len(tree.success_N))
    success = tree.success_N.tolist()
    reward = []
    for node in nodes:
        children = [success[c] for c in nodes if tree.parent_N[c] == node]
        bonus = lambda_ * sum(children) / len(children) if children else 0.0
        reward.append(success[node] + bonus)
    root = {int(tree.tree_N[node]): node for node in nodes if tree.parent_N[node] == -1}
    compared = reward if baseline == "root" else success
    depths = tree.depth_N.tolist()
    alpha = len(depths) / len(set(depths))
    found = []
    for node in nodes:
        own = int(tree.tree_N[node])
        peers = [t for t in root if t != own and tree.group_T[t] == tree.group_T[own]]
        mean = sum(compared[root[t]] for t in peers) / len(peers)
        found.append((reward[node], reward[node] - mean, alpha / depths.count(depths[node])))
    return found


def test_a_reward_is_success_and_the_mean_of_the_childrens() -> None:
    tree = forest([[(None, 0.5), (0, 1.0), (0, 0.0), (1, 0.8)]], [0])
    reward = node_rewards(tree.success_N, tree.parent_N, LAMBDA)
    assert reward == pytest.approx([0.5 + 0.4 * 0.5, 1.0 + 0.4 * 0.8, 0.0, 0.8])


def test_an_advantage_compares_with_the_roots_of_the_other_trees() -> None:
    tree = forest(
        [[(None, 1.0), (0, 1.0)], [(None, 0.5)], [(None, 0.0), (0, 1.0), (0, 0.0)]], [0, 0, 0]
    )
    found = assign(tree, lambda_=LAMBDA)
    assert found.reward_N == pytest.approx([1.4, 1.0, 0.5, 0.2, 1.0, 0.0])
    others = [(0.5 + 0.2) / 2, (1.4 + 0.2) / 2, (1.4 + 0.5) / 2]
    expected = found.reward_N - [others[tree] for tree in (0, 0, 1, 2, 2, 2)]
    assert found.advantage_N == pytest.approx(expected)


def test_weights_make_every_depth_count_the_same() -> None:
    assert depth_weights(np.array([0, 1, 1, 1])) == pytest.approx([2.0, 2 / 3, 2 / 3, 2 / 3])


def test_a_depth_without_nodes_is_not_counted() -> None:
    assert depth_weights(np.array([0, 3])) == pytest.approx([1.0, 1.0])


def test_no_nodes_have_no_weights() -> None:
    assert len(depth_weights(np.array([], dtype=np.int64))) == 0


@pytest.mark.parametrize(("baseline", "expected"), [("root", -LAMBDA), ("success", 0.0)])
def test_a_perfect_leaf_under_a_perfect_root_is_punished_by_the_root_baseline_alone(
    baseline: Baseline, expected: float
) -> None:
    perfect: Tree = [(None, 1.0), (0, 1.0)]
    found = assign(forest([perfect, perfect], [0, 0]), lambda_=LAMBDA, baseline=baseline)
    assert found.advantage_N[1] == pytest.approx(expected)


def test_a_node_is_compared_with_those_of_other_trees_that_saw_the_same() -> None:
    seen = [0, 1, 1, 0, 1, 2]
    tree = forest([[(None, 1.0), (0, 0.5), (0, 0.0)], [(None, 0.0), (0, 1.0), (0, 0.7)]], [0, 0])
    found = assign(replace(tree, view_N=np.array(seen)), baseline="view")
    of_root = 1.0  # nobody else saw what the last node saw
    expected = [1.0 - 0.0, 0.5 - 1.0, 0.0 - 1.0, 0.0 - 1.0, 1.0 - 0.25, 0.7 - of_root]
    assert found.advantage_N == pytest.approx(expected)


@given(forests(), lambdas)
def test_where_nodes_saw_what_nobody_else_saw_their_baseline_is_the_root_s(
    tree: Forest, lambda_: float
) -> None:
    alone = replace(tree, view_N=np.arange(len(tree.tree_N)))
    found = assign(alone, lambda_=lambda_, baseline="view").advantage_N
    assert found == pytest.approx(assign(tree, lambda_=lambda_).advantage_N, abs=1e-12)


def test_the_baseline_of_views_needs_views() -> None:
    with pytest.raises(ValueError, match="view_N"):
        assign(forest([[(None, 1.0)], [(None, 0.0)]], [0, 0]), baseline="view")


def test_a_tree_without_a_peer_needs_a_value_baseline() -> None:
    tree = forest([[(None, 1.0)], [(None, 1.0)], [(None, 0.0)]], [0, 1, 1])
    with pytest.raises(NoPeer) as caught:
        assign(tree)
    assert caught.value.trees.tolist() == [0]
    known = np.array([0.25, np.nan, np.nan])
    assert assign(tree, value_baseline_T=known).advantage_N == pytest.approx([0.75, 1.0, -1.0])


@given(forests(), lambdas, baselines)
def test_the_columns_give_what_the_formulas_say(
    tree: Forest, lambda_: float, baseline: Baseline
) -> None:
    found = assign(tree, lambda_=lambda_, baseline=baseline)
    rows = list(zip(found.reward_N, found.advantage_N, found.weight_N, strict=True))
    for row, expected in zip(rows, slow_credit(tree, lambda_, baseline), strict=True):
        assert row == pytest.approx(expected, abs=1e-12)


@given(forests())
def test_weights_average_one_and_every_depth_weighs_the_same(tree: Forest) -> None:
    weight = assign(tree).weight_N
    assert weight.mean() == pytest.approx(1.0)
    totals = [weight[tree.depth_N == depth].sum() for depth in np.unique(tree.depth_N)]
    assert totals == pytest.approx([totals[0]] * len(totals))


@given(forests(), lambdas, baselines)
def test_advantages_do_not_depend_on_the_order_of_nodes(
    tree: Forest, lambda_: float, baseline: Baseline
) -> None:
    order = np.random.default_rng(0).permutation(len(tree.tree_N))
    place = np.argsort(order)
    moved = Forest(
        tree_N=tree.tree_N[order],
        parent_N=np.where(tree.parent_N[order] < 0, -1, place[tree.parent_N[order]]),
        depth_N=tree.depth_N[order],
        success_N=tree.success_N[order],
        group_T=tree.group_T,
    )
    before = assign(tree, lambda_=lambda_, baseline=baseline)
    after = assign(moved, lambda_=lambda_, baseline=baseline)
    assert after.advantage_N == pytest.approx(before.advantage_N[order], abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_the_roots_of_a_group_have_advantages_that_add_up_to_nothing(values: list[float]) -> None:
    value_T: Floats = np.array(values)
    group_T = np.zeros(len(values), dtype=np.int64)
    assert (value_T - leave_one_out(value_T, group_T)).sum() == pytest.approx(0.0, abs=1e-9)


@given(forests(), lambdas)
def test_rewards_stay_between_nothing_and_one_and_lambda(tree: Forest, lambda_: float) -> None:
    reward = assign(tree, lambda_=lambda_).reward_N
    assert (reward >= 0).all()
    assert (reward <= 1 + lambda_ + 1e-12).all()
