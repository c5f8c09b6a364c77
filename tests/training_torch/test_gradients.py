"""The gradients that `credit` compares are the ones that the learner takes; curricula open."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.training_torch.tiny.growing import policy
from training.environments.catalogue import environment
from training.experiments.curriculum import ENOUGH, NUM_LAST, Curriculum
from training.experiments.gradients import (
    fixed_batch,
    loglikelihood_gradient,
    relative_noise,
    spread,
)
from training.tiny.learner import Learner, LearnerSettings, credit_of
from training.tiny.nodes import Tree, turns_of
from training.tiny.policy import TinyPolicy

SETTINGS = LearnerSettings(lambda_=0.4, entropy_weight=0.0, max_grad_norm=1e9)


def batch(grower: TinyPolicy) -> list[Tree]:
    """Trees, with success at every third node."""
    trees = fixed_batch(environment("algebra"), grower, 3, num_groups=3, group_size=3)
    nodes = [node for tree in trees for node in tree.nodes]
    for number, node in enumerate(nodes):
        node.success = float(number % 3 == 0)
    return trees


def test_the_nodes_gradients_add_up_to_the_learners() -> None:
    grower = policy()
    trees = batch(grower)
    credit = credit_of(trees, SETTINGS)
    added = torch.zeros(grower.model.num_parameters)
    for node in (node for tree in trees for node in tree.nodes):
        advantage, weight = credit[id(node)]
        added += weight * advantage * loglikelihood_gradient(grower, node)
    num_tokens = sum(sum(turn.is_sample) for _, turn in turns_of(trees))
    Learner(grower, SETTINGS).step(trees)
    learned = torch.cat(
        [
            torch.zeros_like(one).flatten() if one.grad is None else one.grad.flatten()
            for one in grower.model.parameters()
        ]
    )
    assert added.norm() > 0
    torch.testing.assert_close(-learned * num_tokens, added, rtol=1e-3, atol=1e-4)


def test_depth_weights_change_how_much_a_depth_counts_and_not_how_its_nodes_vary() -> None:
    grower = policy()
    trees = batch(grower)
    weighted = spread(grower, trees, SETTINGS, is_trained=False)
    plain = spread(grower, trees, replace(SETTINGS, uses_depth_weights=False), is_trained=False)
    assert [one.variance for one in weighted.depths] == [one.variance for one in plain.depths]
    assert any(one.variance > 0 for one in plain.depths)
    assert {one.weight for one in plain.depths} == {1.0}
    totals = [one.weight * one.num_nodes for one in weighted.depths]
    assert totals == pytest.approx([totals[0]] * len(totals))
    assert weighted.noise != plain.noise


def test_the_fixed_batch_is_the_same_for_the_same_policy() -> None:
    one, other = ([turn for _, turn in turns_of(batch(policy(seed=3)))] for _ in range(2))
    assert one == other


def test_noise_is_the_variance_of_the_mean_over_its_squared_length() -> None:
    assert relative_noise([torch.tensor([1.0, 0.0]), torch.tensor([1.0, 2.0])]) == 0.5
    assert relative_noise([torch.tensor([1.0]), torch.tensor([-1.0])]) is None


def test_a_curriculum_opens_the_next_difficulty_where_the_hardest_one_is_learned() -> None:
    curriculum, difficulties = Curriculum(num_open=1), (3, 1, 2)
    assert curriculum.open_of(difficulties) == [1]
    curriculum.see(finished(1, NUM_LAST, ENOUGH - 0.1), difficulties)
    curriculum.see(finished(2, NUM_LAST, 1.0), difficulties)
    assert curriculum.open_of(difficulties) == [1]
    curriculum.see(finished(1, NUM_LAST, 1.0), difficulties)
    assert curriculum.open_of(difficulties) == [1, 2]
    assert curriculum.last == []
    curriculum.see(finished(2, NUM_LAST - 1, 1.0), difficulties)
    assert curriculum.open_of(difficulties) == [1, 2]
    curriculum.see(finished(2, NUM_LAST, 1.0), difficulties)
    curriculum.see(finished(3, NUM_LAST, 1.0), difficulties)
    assert curriculum.open_of(difficulties) == [1, 2, 3]


def finished(difficulty: int, number: int, success: float) -> list[Tree]:
    """Trees of which a share succeeded."""
    trees = [Tree(str(place), "g", difficulty, 0) for place in range(number)]
    for place, tree in enumerate(trees):
        tree.plant(environment("algebra").generate(0, difficulty))
        tree.root.success = float(place < success * number)
    return trees
