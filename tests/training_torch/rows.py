"""Rows of tensors for tests."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from training.loss import TokenBatch

NUM_ROWS, NUM_TOKENS, NUM_WORDS = 3, 5, 7


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_logits(seed: int = 0) -> Tensor:
    shape = (NUM_ROWS, NUM_TOKENS, NUM_WORDS)
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def random_tokens(seed: int = 0) -> Tensor:
    return torch.randint(NUM_WORDS, (NUM_ROWS, NUM_TOKENS), generator=generator(seed))


def mask() -> Tensor:
    lengths = torch.tensor([5, 3, 4])
    return (torch.arange(NUM_TOKENS) < lengths[:, None]).double()


def batch(logprobs_BT: Tensor, behaviour_logprobs_BT: Tensor) -> TokenBatch:
    return TokenBatch(
        logprobs_BT=logprobs_BT,
        behaviour_logprobs_BT=behaviour_logprobs_BT,
        mask_BT=mask(),
        advantages=torch.tensor([0.7, -1.1, 0.3], dtype=torch.float64),
        weights_B=torch.tensor([0.5, 2.0, 1.25], dtype=torch.float64),
    )


def ratio_batch(ratios: list[list[float]], advantages: list[float]) -> TokenBatch:
    """Rows whose ratios are given; every weight is 1 and every token counts."""
    ratio_BT = torch.tensor(ratios, dtype=torch.float64)
    behaviour_BT = torch.full_like(ratio_BT, -2.0)
    return replace(
        batch((behaviour_BT + ratio_BT.log()).requires_grad_(), behaviour_BT),
        mask_BT=torch.ones_like(ratio_BT),
        advantages=torch.tensor(advantages, dtype=torch.float64),
        weights_B=torch.ones(len(advantages), dtype=torch.float64),
    )
