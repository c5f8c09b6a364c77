"""Batches: training rows as tensors, for the model (`ModelInput`) and for the loss. Needs torch.

Axes: B rows, T tokens, D choices of the row that has most, K kinds (`logged_rows.KINDS`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from training.logged_rows import KINDS
from training.tensors import tensors_of
from training.training_rows import PlacedChoice, TrainingRow


class ModelInput(NamedTuple):
    """What the policy computes. Choices beyond those of a row have mask 0 and kind 0 alone."""

    token_ids_BT: Tensor
    attention_BT: Tensor
    mask_BT: Tensor
    """[B, T - 1]: position t is 1 where token t + 1 counts."""
    choice_positions_BD: Tensor
    choice_kinds_BDK: Tensor
    choice_taken_BD: Tensor
    choice_mask_BD: Tensor


class Batch(NamedTuple):
    """The input, and for the loss behaviour log-probabilities [B, T - 1 + D] and the like.

    What belongs to choices stands behind what belongs to tokens.
    """

    input: ModelInput
    behaviour_logprobs_BX: Tensor
    advantages_BX: Tensor
    rewards_BX: Tensor
    """Of the nodes that tokens and choices belong to; `weights_BX` likewise."""
    weights_BX: Tensor
    is_last_B: Tensor
    """Rows that end with their node, and are paid its reward."""
    staleness_B: Tensor
    base_logprobs_BX: Tensor | None

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        base = self.base_logprobs_BX
        return Batch(
            ModelInput(*(part.to(device) for part in self.input)),
            self.behaviour_logprobs_BX.to(device),
            self.advantages_BX.to(device),
            self.rewards_BX.to(device),
            self.weights_BX.to(device),
            self.is_last_B.to(device),
            self.staleness_B.to(device),
            None if base is None else base.to(device),
        )


def batch_of(rows: Sequence[TrainingRow], policy_index: int) -> Batch:
    """Raises ValueError where there is no row."""
    tensors = tensors_of([row.row for row in rows], policy_index)
    most = max(len(row.choices) for row in rows)

    def column(value: Callable[[PlacedChoice], float], dtype: torch.dtype) -> Tensor:
        filled = [
            [*(value(choice) for choice in row.choices), *[0] * (most - len(row.choices))]
            for row in rows
        ]
        return torch.tensor(filled, dtype=dtype).reshape(len(rows), most)

    kinds_BDK = torch.zeros(len(rows), most, len(KINDS), dtype=torch.bool)
    kinds_BDK[..., 0] = True
    for b, row in enumerate(rows):
        for d, choice in enumerate(row.choices):
            kinds_BDK[b, d, 0] = False
            kinds_BDK[b, d, list(choice.kinds)] = True
    token_advantages_BT = torch.tensor([row.advantage for row in rows])[:, None] * tensors.mask_BT

    def joined(
        of_row: Callable[[TrainingRow], float], of: Callable[[PlacedChoice], float]
    ) -> Tensor:
        values_BT = torch.tensor([of_row(row) for row in rows])[:, None].expand_as(tensors.mask_BT)
        return torch.cat([values_BT, column(of, torch.float32)], dim=1)

    return Batch(
        input=ModelInput(
            token_ids_BT=tensors.token_ids_BT,
            attention_BT=tensors.attention_BT,
            mask_BT=tensors.mask_BT,
            choice_positions_BD=column(lambda choice: choice.position, torch.long),
            choice_kinds_BDK=kinds_BDK,
            choice_taken_BD=column(lambda choice: choice.taken, torch.long),
            choice_mask_BD=column(lambda _: 1.0, torch.float32),
        ),
        behaviour_logprobs_BX=torch.cat(
            [
                tensors.behaviour_logprobs_BT,
                column(lambda choice: choice.logprob, torch.float32),
            ],
            dim=1,
        ),
        advantages_BX=torch.cat(
            [token_advantages_BT, column(lambda choice: choice.advantage, torch.float32)], dim=1
        ),
        rewards_BX=joined(lambda row: row.reward, lambda choice: choice.reward),
        weights_BX=joined(lambda row: row.weight, lambda choice: choice.weight),
        is_last_B=torch.tensor([row.row.is_last for row in rows]),
        staleness_B=tensors.staleness_B,
        base_logprobs_BX=_base_logprobs(rows, tensors.mask_BT, most),
    )


def _base_logprobs(rows: Sequence[TrainingRow], mask_BT: Tensor, most: int) -> Tensor | None:
    """What `base_logprobs` of the rows say, at the places of their tokens and choices."""
    if any(row.base_logprobs is None for row in rows):
        return None
    found_BX = torch.zeros(len(rows), mask_BT.shape[1] + most)
    for b, row in enumerate(rows):
        live = torch.zeros(found_BX.shape[1], dtype=torch.bool)
        live[: mask_BT.shape[1]] = mask_BT[b] > 0
        live[mask_BT.shape[1] : mask_BT.shape[1] + len(row.choices)] = True
        found_BX[b, live] = torch.tensor(row.base_logprobs)
    return found_BX
