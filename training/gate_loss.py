"""Gate: the log-probability of a sampled decision, and its gradient to the weights and to tau.

In training the gate delegates with probability `sigmoid(score - tau)`, where `score` is
`logP(delegate) - logsumexp(logP of the other allowed kinds)` (RAO section 1); otherwise one of the
others is drawn from what the policy gives them. With tau 0 that is the policy's own distribution
over the allowed kinds, which is the gate mode `sampled`. Axes: B rows, D decisions, K kinds. Needs
torch.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from banyan.node import Decision
from training.loss import TokenBatch


def is_sample(decision: Decision) -> bool:
    """Whether the policy's own probabilities made the decision, so that it may train them.

    Decisions under `threshold`, `always` and `never`, and forced ones, are none.
    """
    return decision.mode == "sampled" and not decision.forced


def delegation_scores(kind_logprobs_BDK: Tensor, allowed_BDK: Tensor, delegate: int) -> Tensor:
    """Float[B, D], nats. `delegate` is the index of that kind; others that are not allowed, -inf.

    Log-probabilities need not be normalised over the allowed kinds.
    """
    others_BDK = allowed_BDK.clone()
    others_BDK[..., delegate] = False
    return kind_logprobs_BDK[..., delegate] - _logsumexp(kind_logprobs_BDK, others_BDK)


def decision_logprobs(
    kind_logprobs_BDK: Tensor,
    allowed_BDK: Tensor,
    taken_BD: Tensor,
    tau: Tensor,
    delegate: int,
) -> Tensor:
    """Log-probability of the kind that was taken, Float[B, D], in nats.

    `allowed_BDK` is Bool, `taken_BD` Int (indices of kinds). `tau` is a scalar, or Float[B, D] with
    0 where the mode had no threshold. Where delegating was not allowed it is that of the kind among
    the allowed ones; where nothing else was, it is 0.
    """
    others_BDK = allowed_BDK.clone()
    others_BDK[..., delegate] = False
    may_BD, must_BD = allowed_BDK[..., delegate], ~others_BDK.any(dim=-1)
    is_choice_BD = may_BD & ~must_BD
    rest_BD = _logsumexp(kind_logprobs_BDK, others_BDK)
    score_BD = torch.where(is_choice_BD, kind_logprobs_BDK[..., delegate] - rest_BD, 0.0)
    did_BD = taken_BD == delegate
    side_BD = logsigmoid(torch.where(did_BD, score_BD - tau, tau - score_BD))
    taken_logprob_BD = kind_logprobs_BDK.gather(-1, taken_BD[..., None]).squeeze(-1)
    among_BD = torch.where(did_BD, 0.0, taken_logprob_BD - rest_BD)
    return torch.where(is_choice_BD, side_BD, 0.0) + among_BD


def joined(tokens: TokenBatch, decisions: TokenBatch) -> TokenBatch:
    """One batch whose positions are the tokens of each row and then its decisions.

    Advantages, weights and staleness are those of `tokens`; a decision counts as one token.
    Entropies and base log-probabilities are there where both have them. Raises ValueError where
    the advantages of `tokens` are given one by one and those of `decisions` are not.
    """

    def both(left: Tensor | None, right: Tensor | None) -> Tensor | None:
        return None if left is None or right is None else torch.cat([left, right], dim=1)

    advantages = tokens.advantages
    if advantages.dim() == 2:
        if decisions.advantages.dim() != 2:
            raise ValueError(
                "advantages of tokens are given one by one, those of decisions are not"
            )
        advantages = torch.cat([advantages, decisions.advantages], dim=1)
    return replace(
        tokens,
        logprobs_BT=torch.cat([tokens.logprobs_BT, decisions.logprobs_BT], dim=1),
        behaviour_logprobs_BT=torch.cat(
            [tokens.behaviour_logprobs_BT, decisions.behaviour_logprobs_BT], dim=1
        ),
        mask_BT=torch.cat([tokens.mask_BT, decisions.mask_BT], dim=1),
        advantages=advantages,
        entropies_BT=both(tokens.entropies_BT, decisions.entropies_BT),
        base_logprobs_BT=both(tokens.base_logprobs_BT, decisions.base_logprobs_BT),
    )


def decision_entropies(
    kind_logprobs_BDK: Tensor, allowed_BDK: Tensor, tau: Tensor, delegate: int
) -> Tensor:
    """Entropy of the gate's choice among the allowed kinds, Float[B, D], in nats."""
    num_kinds = allowed_BDK.shape[-1]
    total = torch.zeros_like(kind_logprobs_BDK[..., 0])
    for kind in range(num_kinds):
        taken_BD = torch.full(allowed_BDK.shape[:-1], kind, device=allowed_BDK.device)
        logprob_BD = decision_logprobs(kind_logprobs_BDK, allowed_BDK, taken_BD, tau, delegate)
        is_there_BD = allowed_BDK[..., kind]
        logprob_BD = torch.where(is_there_BD, logprob_BD, 0.0)
        total = total - torch.where(is_there_BD, logprob_BD.exp() * logprob_BD, 0.0)
    return total


def _logsumexp(logprobs_BDK: Tensor, among_BDK: Tensor) -> Tensor:
    """Over the kinds of `among_BDK`; 0 where there is none, so that no gradient becomes NaN."""
    any_BD = among_BDK.any(dim=-1)
    safe_BDK = among_BDK | ~any_BD[..., None]
    lowest = torch.finfo(logprobs_BDK.dtype).min
    return torch.where(any_BD, torch.where(safe_BDK, logprobs_BDK, lowest).logsumexp(dim=-1), 0.0)
