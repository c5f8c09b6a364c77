"""Scoring: log-probabilities and entropies of given tokens under a model's logits. Needs torch."""

from __future__ import annotations

import torch
from torch import Tensor


def score_tokens(
    logits_BTV: Tensor, token_ids_BT: Tensor, *, entropy_gradient: bool = True
) -> tuple[Tensor, Tensor]:
    """Log-probability of each token and entropy at its place, at temperature 1, in nats.

    `logits_BTV` at t is what was predicted for `token_ids_BT` at t: with a causal model, the logits
    one position earlier. Both results are Float[B, T] in at least float32. Without
    `entropy_gradient` the entropies are figures alone, which saves memory in the backward pass.
    """
    logits_BTV = logits_BTV.to(torch.promote_types(logits_BTV.dtype, torch.float32))
    logprobs_BTV = logits_BTV.log_softmax(dim=-1)
    chosen_BT = logprobs_BTV.gather(-1, token_ids_BT[..., None]).squeeze(-1)
    with torch.set_grad_enabled(torch.is_grad_enabled() and entropy_gradient):
        entropies_BT = -(logprobs_BTV.exp() * logprobs_BTV).sum(dim=-1)
    return chosen_BT, entropies_BT
