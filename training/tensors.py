"""Tensors: a batch of rows, padded on the right, as a model and the loss take it. Needs torch.

Token 0 pads; the attention mask hides it.
Axes: B rows, T the length of the longest one. Position t of the loss belongs to token t + 1, which
the logits at t predict, so that its tensors are one shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.rows import Row


@dataclass(frozen=True, slots=True)
class RowTensors:
    """The first two are for the model, [B, T]; the others for the loss, [B, T - 1] and [B]."""

    token_ids_BT: Tensor
    attention_BT: Tensor
    behaviour_logprobs_BT: Tensor
    mask_BT: Tensor
    staleness_B: Tensor

    @property
    def targets_BT(self) -> Tensor:
        """What the logits at each position but the last predict."""
        return self.token_ids_BT[:, 1:]


def tensors_of(rows: Sequence[Row], policy_index: int) -> RowTensors:
    """Raises ValueError where there is no row."""
    if not rows:
        raise ValueError("a batch has at least one row")
    length = max(len(row.token_ids) for row in rows)

    def padded(columns: Sequence[Sequence[float]], dtype: torch.dtype) -> Tensor:
        filled = [[*column, *[0] * (length - len(column))] for column in columns]
        return torch.tensor(filled, dtype=dtype)

    return RowTensors(
        token_ids_BT=padded([row.token_ids for row in rows], torch.long),
        attention_BT=padded([[1] * len(row.token_ids) for row in rows], torch.long),
        behaviour_logprobs_BT=padded([row.logprobs for row in rows], torch.float32)[:, 1:],
        mask_BT=padded([row.mask for row in rows], torch.float32)[:, 1:],
        staleness_B=torch.tensor([policy_index - row.oldest_policy_index for row in rows]),
    )
