"""Learner: rollouts to credit, loss and steps of the optimizer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from training.credit import NO_PARENT, Baseline, Credit, Forest, assign
from training.loss import LossFigures, LossKind, LossSettings, TokenBatch, policy_loss
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
    discount: float = 1.0
    """What a node's success is multiplied by for every action that the node itself took."""
    loss: LossKind = "cispo"
    num_updates: int = 1
    """Steps of the optimizer for a batch of trees, each on its share of the batch's turns."""
    averaging: float = 0.0
    """What is left of the served weights at an update; the rest is of the trained ones. 0: none."""


class Learner:
    """Owns the optimizer of a policy, and learns from each batch of trees of its policy once."""

    def __init__(self, policy: TinyPolicy, settings: LearnerSettings) -> None:
        self.policy = policy
        self.settings = settings
        parameters = list(policy.model.parameters())
        if settings.learns_tau:
            parameters.append(policy.tau)
        self.parameters = parameters
        self.optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate)
        self.served = policy
        """What is measured: the policy, or with `averaging` one of its weights' running mean."""

    def step(self, trees: Sequence[Tree]) -> LossFigures:
        """Learn from a batch of trees; the figures are those of the last update.

        Every update has turns of all trees. Raises NoPeer where a group has one tree alone.
        """
        rows = list(turns_of(list(trees)))
        credit = credit_of(trees, self.settings)
        num_updates = min(self.settings.num_updates, len(rows))
        shares = [rows[first::num_updates] for first in range(num_updates)]
        return [self._update(self._batch(share, credit)) for share in shares][-1]

    def _update(self, batch: TokenBatch) -> LossFigures:
        settings = self.settings
        self.part_served()
        loss, figures = policy_loss(
            batch, LossSettings(kind=settings.loss, entropy_weight=settings.entropy_weight)
        )
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.parameters, settings.max_grad_norm)
        self.optimizer.step()
        self._average()
        return figures

    def part_served(self) -> None:
        """From here on the served weights are a mean, where they are to be one."""
        if self.settings.averaging and self.served is self.policy:
            self.served = replace(self.policy, model=copy.deepcopy(self.policy.model))

    def _average(self) -> None:
        """Of all weights since the warm-up at first, then of the last `1 / (1 - averaging)`."""
        if self.served is self.policy:
            return
        num_updates = int(self.optimizer.state[self.parameters[0]]["step"])
        left = min(self.settings.averaging, num_updates / (num_updates + 1))
        pairs = zip(self.served.model.parameters(), self.policy.model.parameters(), strict=True)
        with torch.no_grad():
            for mean, last in pairs:
                mean.lerp_(last, 1.0 - left)

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
    num_turns_N = np.array([len(node.turns) for node in nodes])
    forest = replace(forest, success_N=forest.success_N * settings.discount**num_turns_N)
    credit: Credit = assign(forest, lambda_=settings.lambda_, baseline=settings.baseline)
    weight_N = credit.weight_N if settings.uses_depth_weights else np.ones(len(nodes))
    pairs = zip(credit.advantage_N.tolist(), weight_N.tolist(), strict=True)
    return {id(node): pair for node, pair in zip(nodes, pairs, strict=True)}


def forest_of(trees: Sequence[Tree]) -> tuple[Forest, list[Node]]:
    """The trees as columns, and their nodes in that order."""
    nodes = [node for tree in trees for node in tree.nodes]
    number_of = {id(node): number for number, node in enumerate(nodes)}
    groups = {group: n for n, group in enumerate(dict.fromkeys(tree.group_id for tree in trees))}
    seen = [node.turns[0].prompt if node.turns else None for node in nodes]
    views = {view: number for number, view in enumerate(dict.fromkeys(seen))}
    parents = [number_of[id(node.parent)] if node.parent else NO_PARENT for node in nodes]
    forest = Forest(
        tree_N=np.repeat(np.arange(len(trees)), [len(tree.nodes) for tree in trees]),
        parent_N=np.array(parents, dtype=np.int64),
        depth_N=np.array([node.depth for node in nodes], dtype=np.int64),
        success_N=np.array([node.success for node in nodes], dtype=np.float64),
        group_T=np.array([groups[tree.group_id] for tree in trees], dtype=np.int64),
        view_N=np.array([views[view] for view in seen], dtype=np.int64),
    )
    return forest, nodes


def _filled(rows: Sequence[Sequence[float]], length: int) -> Tensor:
    """Float[B, T], with zeros on the right."""
    return torch.tensor([[*row, *[0.0] * (length - len(row))] for row in rows], dtype=torch.float32)


def figures_of(figures: LossFigures) -> dict[str, float | int | None]:
    """As JSON."""
    return asdict(figures)
