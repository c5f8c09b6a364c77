"""Gradients: how much the policy gradient of a batch varies, by depth of the nodes.

A node's gradient is `A * grad log pi` over the tokens that it drew; the batch's is the sum of
`w_d * A * grad log pi` (RAO equation 5). The batch is fixed: grown with the same tasks and chance,
so that arms that differ in credit alone are compared on the very same trees after the warm-up.
Nodes of one group share a task and a baseline, so the noise of the sum is taken over groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from training.environments.environment import Environment
from training.experiments.results import DepthGradient, GradientSpread
from training.tiny.acting import Actor, Style
from training.tiny.learner import LearnerSettings, credit_of
from training.tiny.nodes import Node, Tree
from training.tiny.policy import TinyPolicy
from training.tiny.rollout import TaskId, grow, plant
from training.tiny.scoring import score

FIRST_SEED = 3_500_000_000
"""Seeds of the batch's tasks begin here, apart from all others."""


def fixed_batch(
    environment: Environment,
    policy: TinyPolicy,
    difficulty: int,
    num_groups: int,
    group_size: int,
) -> list[Tree]:
    """Rollouts of the same tasks, with the same chance, whenever the policy is the same."""
    trees = [
        plant(
            environment,
            TaskId(FIRST_SEED + group, difficulty),
            f"{group}.{number}",
            str(group),
            alone=policy.is_alone,
        )
        for group in range(num_groups)
        for number in range(group_size)
    ]
    grow(environment, Actor(policy, Style(), np.random.default_rng(FIRST_SEED)), trees)
    return trees


def spread(
    policy: TinyPolicy, trees: Sequence[Tree], settings: LearnerSettings, *, is_trained: bool
) -> GradientSpread:
    """Under the credit of `settings`. Raises NoPeer where a tree is alone in its group."""
    credit = credit_of(trees, settings)
    group_sums = {tree.group_id: torch.zeros(policy.model.num_parameters) for tree in trees}
    nodes = [node for tree in trees for node in tree.nodes]
    depths = []
    for depth in sorted({node.depth for node in nodes}):
        at_depth = [node for node in nodes if node.depth == depth]
        weight = credit[id(at_depth[0])][1]
        total, squares = torch.zeros(policy.model.num_parameters), 0.0
        for node in at_depth:
            advantage, _ = credit[id(node)]
            if advantage:
                gradient = advantage * loglikelihood_gradient(policy, node)
                total += gradient
                squares += float(gradient.square().sum())
                group_sums[node.tree.group_id] += weight * gradient
        mean_square = float((total / len(at_depth)).square().sum())
        variance = max(0.0, squares / len(at_depth) - mean_square)
        depths.append(DepthGradient(depth, len(at_depth), variance, weight))
    return GradientSpread(is_trained, relative_noise(list(group_sums.values())), depths)


def relative_noise(rows: Sequence[Tensor]) -> float | None:
    """Variance of the mean of `rows` (at least 2) over its squared length; None where that is 0."""
    rows_GP = torch.stack(list(rows))
    mean_P = rows_GP.mean(dim=0)
    length = float(mean_P.square().sum())
    spread_of_mean = float((rows_GP - mean_P).square().sum()) / (len(rows) * (len(rows) - 1))
    return spread_of_mean / length if length else None


def loglikelihood_gradient(policy: TinyPolicy, node: Node) -> Tensor:
    """Float[P]: of the log-probabilities of the tokens that the node drew, summed, as one row."""
    drawn = [turn for turn in node.turns if any(turn.is_sample)]
    parameters = list(policy.model.parameters())
    if not drawn:
        return torch.zeros(policy.model.num_parameters)
    scores = score(policy, drawn)
    masks = torch.zeros_like(scores.logprobs_BC)
    for row, turn in enumerate(drawn):
        masks[row, : len(turn.is_sample)] = torch.tensor(turn.is_sample, dtype=masks.dtype)
    total = (scores.logprobs_BC * masks).sum()
    gradients = torch.autograd.grad(total, parameters, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(parameter) if gradient is None else gradient).flatten()
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
    )
