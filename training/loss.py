"""Loss: what is minimised over the tokens that agents emitted (RAO section 2, equation 5).

Axes: B rows, T positions. A row is a node, or a part of one (see `rows.py`). The loss is the sum
over tokens of `weight * policy term`, minus the entropy bonus, plus the penalty for leaving the
base, all over the number of tokens, so that a row counts by its tokens and a micro-batch by its
own. Needs torch; runs in the trainer's environment alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from training.errors import NotFinite

LossKind = Literal["cispo", "ppo", "a2c"]

_MAX_LOG_RATIO = 20.0
"""Beyond e^20 a ratio says only that the row is useless; its square would overflow."""


@dataclass(frozen=True, slots=True)
class LossSettings:
    """`cispo` caps the weight at `cispo_cap`; `ppo` clips the ratio to 1 +- `ppo_clip`."""

    kind: LossKind = "cispo"
    cispo_cap: float = 5.0
    ppo_clip: float = 0.2
    entropy_weight: float = 0.0
    kl_weight: float = 0.0
    max_staleness: int | None = None
    """Rows of a policy older by more versions are left out; None keeps all."""


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Rows padded to one length; what stands where `mask_BT` is 0 is never looked at.

    Log-probabilities are in nats, of one and the same distribution. `advantages` is Float[B], or
    Float[B, T] from a value head. `entropies_BT` (nats) and `base_logprobs_BT` are needed where
    their weights are not 0.
    """

    logprobs_BT: Tensor
    """Under the trainer's weights; the gradient flows through it."""
    behaviour_logprobs_BT: Tensor
    """As they were sampled, from the log."""
    mask_BT: Tensor
    """1 for tokens that the policy emitted and sampled."""
    advantages: Tensor
    weights_B: Tensor
    """Depth weights."""
    staleness_B: Tensor | None = None
    """Int[B]: versions between the policy that wrote the row's oldest token and the trainer's."""
    entropies_BT: Tensor | None = None
    base_logprobs_BT: Tensor | None = None


@dataclass(frozen=True, slots=True)
class LossFigures:
    """What a step reports. Shares and means are over the tokens that count."""

    loss: float
    policy_loss: float
    entropy: float | None
    kl: float | None
    clipped_share: float
    mean_ratio: float
    logprob_gap: float
    """Mean |trainer - behaviour| in nats."""
    num_tokens: int
    num_rows: int
    """Rows with at least one token that counts."""
    num_stale_rows: int
    """Rows that were left out."""
    mean_staleness: float
    max_staleness: int


def policy_loss(
    batch: TokenBatch, settings: LossSettings, num_tokens: int | None = None
) -> tuple[Tensor, LossFigures]:
    """The loss (a scalar to call `backward` on) and its figures.

    `num_tokens` is what the sum is divided by (default: the batch's own tokens); with gradient
    accumulation it is the number of tokens of all micro-batches. Raises NotFinite and ValueError.
    """
    fresh_B = _fresh(batch, settings)
    live_BT = (batch.mask_BT > 0) & fresh_B[:, None]
    count = int(live_BT.sum())
    divisor = max(1, count if num_tokens is None else num_tokens)
    logprobs_BT = _live(batch.logprobs_BT, live_BT)
    _check_finite(logprobs_BT, "the trainer's")
    log_ratio_BT = logprobs_BT - _live(batch.behaviour_logprobs_BT, live_BT)
    _check_finite(log_ratio_BT, "the behaviour")
    ratio_BT = log_ratio_BT.clamp(-_MAX_LOG_RATIO, _MAX_LOG_RATIO).exp()
    advantages = batch.advantages
    advantages_BT = _live(advantages[:, None] if advantages.dim() == 1 else advantages, live_BT)
    token_BT, clipped_BT = token_loss(logprobs_BT, ratio_BT, advantages_BT, settings)
    policy = (token_BT * batch.weights_B[:, None] * live_BT).sum() / divisor
    total, entropy, kl = policy, None, None
    if batch.entropies_BT is not None:
        entropy = _live(batch.entropies_BT, live_BT).sum() / divisor
        total = total - settings.entropy_weight * entropy
    elif settings.entropy_weight:
        raise ValueError("an entropy bonus needs entropies_BT")
    if batch.base_logprobs_BT is not None:
        kl = kl_to_base(logprobs_BT, _live(batch.base_logprobs_BT, live_BT)).sum() / divisor
        total = total + settings.kl_weight * kl
    elif settings.kl_weight:
        raise ValueError("a penalty for leaving the base needs base_logprobs_BT")
    share = 1.0 / max(1, count)
    stale_B = batch.staleness_B if batch.staleness_B is not None else torch.zeros(len(fresh_B))
    return total, LossFigures(
        loss=total.item(),
        policy_loss=policy.item(),
        entropy=None if entropy is None else entropy.item() * divisor * share,
        kl=None if kl is None else kl.item() * divisor * share,
        clipped_share=(clipped_BT & live_BT).sum().item() * share,
        mean_ratio=(ratio_BT.detach() * live_BT).sum().item() * share,
        logprob_gap=(log_ratio_BT.detach().abs() * live_BT).sum().item() * share,
        num_tokens=count,
        num_rows=int(live_BT.any(dim=1).sum()),
        num_stale_rows=int((~fresh_B).sum()),
        mean_staleness=stale_B.double().mean().item(),
        max_staleness=int(stale_B.max().item()),
    )


def token_loss(
    logprobs_BT: Tensor, ratio_BT: Tensor, advantages_BT: Tensor, settings: LossSettings
) -> tuple[Tensor, Tensor]:
    """Each token's policy term, and where the ratio was clipped: (Float[B, T], Bool[B, T]).

    `cispo` (arXiv 2506.13585): `-min(ratio, cap) * A * logprob`, no gradient through the weight, so
    that every token keeps one. `ppo` (arXiv 1707.06347): `-min(ratio * A, clip(ratio) * A)`. `a2c`:
    `-A * logprob`, for one epoch over rows of the current policy.
    """
    match settings.kind:
        case "cispo":
            weight_BT = ratio_BT.detach().clamp(max=settings.cispo_cap)
            return -weight_BT * advantages_BT * logprobs_BT, ratio_BT > settings.cispo_cap
        case "ppo":
            low, high = 1.0 - settings.ppo_clip, 1.0 + settings.ppo_clip
            plain_BT = ratio_BT * advantages_BT
            clipped_BT = ratio_BT.clamp(low, high) * advantages_BT
            too_low_BT = (ratio_BT < low) & (advantages_BT < 0)
            too_high_BT = (ratio_BT > high) & (advantages_BT > 0)
            return -torch.min(plain_BT, clipped_BT), too_low_BT | too_high_BT
        case "a2c":
            return -advantages_BT * logprobs_BT, torch.zeros_like(ratio_BT, dtype=torch.bool)


def kl_to_base(logprobs_BT: Tensor, base_logprobs_BT: Tensor) -> Tensor:
    """Schulman's k3 estimate of KL(policy || base) at each token, nats, never below 0."""
    log_ratio_BT = base_logprobs_BT - logprobs_BT
    return log_ratio_BT.exp() - log_ratio_BT - 1.0


def _fresh(batch: TokenBatch, settings: LossSettings) -> Tensor:
    """Bool[B]: rows that are not too old. Raises ValueError where nobody knows how old they are."""
    if batch.staleness_B is None:
        if settings.max_staleness is not None:
            raise ValueError("max_staleness needs staleness_B")
        return torch.ones(len(batch.mask_BT), dtype=torch.bool, device=batch.mask_BT.device)
    if settings.max_staleness is None:
        return torch.ones_like(batch.staleness_B, dtype=torch.bool)
    return batch.staleness_B <= settings.max_staleness


def _live(values_BT: Tensor, live_BT: Tensor) -> Tensor:
    """`values_BT` with zeros where nothing counts: 0 * NaN of padding would be NaN."""
    return torch.where(live_BT, values_BT, torch.zeros_like(values_BT))


def _check_finite(values_BT: Tensor, whose: str) -> None:
    finite_B = torch.isfinite(values_BT).all(dim=1)
    if not bool(finite_B.all()):
        row = int((~finite_B).nonzero()[0])
        raise NotFinite(f"row {row}: {whose} log-probabilities are not finite")
