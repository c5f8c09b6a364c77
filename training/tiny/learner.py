"""Learner: rollouts to credit, loss and one step of the optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from training.credit import NO_PARENT, Baseline, Credit, Forest, assign
from training.loss import LossFigures, LossSettings, TokenBatch, policy_loss
from training.tiny.nodes import Node, Tree, Turn, turns_of
from training.tiny.policy import TinyPolicy
from training.tiny.scoring import score


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    learning_rate: float = 5e-4
    entropy_weight: float = 0.003
    max_grad_norm: float = 1.0
    lambda_: float = 0.0
    baseline: Baseline = "root"
    uses_depth_weights: bool = True
    learns_tau: bool = False


class Learner:
    """Owns the optimizer of a policy. One step for each batch of trees, all of today's policy."""

    def __init__(self, policy: TinyPolicy, settings: LearnerSettings) -> None:
        self.policy = policy
        self.settings = settings
        parameters = list(policy.model.parameters())
        if settings.learns_tau:
            parameters.append(policy.tau)
        self.parameters = parameters
        self.optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate)

    def step(self, trees: Sequence[Tree]) -> LossFigures:
        """Raises NoPeer where a group has one tree alone."""
        rows = list(turns_of(list(trees)))
        batch = self._batch(rows, credit_of(trees, self.settings))
        loss, figures = policy_loss(
            batch, LossSettings(entropy_weight=self.settings.entropy_weight)
        )
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.parameters, self.settings.max_grad_norm)
        self.optimizer.step()
        return figures

    def _batch(
        self, rows: list[tuple[Node, Turn]], credit: dict[int, tuple[float, float]]
    ) -> TokenBatch:
        turns = [turn for _, turn in rows]
        scores = score(self.policy, turns)
        length = scores.logprobs_BC.shape[1]
        credits_B = [credit[id(node)] for node, _ in rows]
        return TokenBatch(
            logprobs_BT=scores.logprobs_BC,
            behaviour_logprobs_BT=_filled([turn.logprobs for turn in turns], length),
            mask_BT=_filled([turn.is_sample for turn in turns], length),
            advantages=torch.tensor([advantage for advantage, _ in credits_B]),
            weights_B=torch.tensor([weight for _, weight in credits_B]),
            entropies_BT=scores.entropies_BC,
        )


def credit_of(trees: Sequence[Tree], settings: LearnerSettings) -> dict[int, tuple[float, float]]:
    """Advantage and depth weight of every node, by the node's `id()`."""
    nodes = [node for tree in trees for node in tree.nodes]
    forest, _ = forest_of(trees)
    credit: Credit = assign(forest, lambda_=settings.lambda_, baseline=settings.baseline)
    weight_N = credit.weight_N if settings.uses_depth_weights else np.ones(len(nodes))
    pairs = zip(credit.advantage_N.tolist(), weight_N.tolist(), strict=True)
    return {id(node): pair for node, pair in zip(nodes, pairs, strict=True)}


def forest_of(trees: Sequence[Tree]) -> tuple[Forest, list[Node]]:
    """The trees as columns, and their nodes in that order."""
    nodes = [node for tree in trees for node in tree.nodes]
    number_of = {id(node): number for number, node in enumerate(nodes)}
    groups = {group: n for n, group in enumerate(dict.fromkeys(tree.group_id for tree in trees))}
    parents = [number_of[id(node.parent)] if node.parent else NO_PARENT for node in nodes]
    forest = Forest(
        tree_N=np.repeat(np.arange(len(trees)), [len(tree.nodes) for tree in trees]),
        parent_N=np.array(parents, dtype=np.int64),
        depth_N=np.array([node.depth for node in nodes], dtype=np.int64),
        success_N=np.array([node.success for node in nodes], dtype=np.float64),
        group_T=np.array([groups[tree.group_id] for tree in trees], dtype=np.int64),
    )
    return forest, nodes


def _filled(rows: Sequence[Sequence[float]], length: int) -> Tensor:
    """Float[B, T], with zeros on the right."""
    return torch.tensor([[*row, *[0.0] * (length - len(row))] for row in rows], dtype=torch.float32)


def figures_of(figures: LossFigures) -> dict[str, float | int | None]:
    """As JSON."""
    return asdict(figures)
