"""Figures: what a step of the optimizer reports, added up over micro-batches and processes."""

from __future__ import annotations

from dataclasses import dataclass

from training.loss import LossFigures

_SUMS = 13


@dataclass(frozen=True, slots=True)
class StepFigures:
    """Means and shares are over the tokens and choices that count; nats where not said otherwise.

    `gradient_norm` is before clipping; `threshold` is tau after the step.
    """

    step: int
    epoch: int
    loss: float
    policy_loss: float
    value_loss: float | None
    entropy: float
    kl: float | None
    clipped_share: float
    mean_ratio: float
    logprob_gap: float
    """Between the trainer's weights at this step and the log."""
    mean_staleness: float
    num_tokens: int
    num_rows: int
    gradient_norm: float
    threshold: float
    tokens_per_s: float


class StepSums:
    """Sums of one step; `values` may be added up over processes."""

    def __init__(self) -> None:
        self.values = [0.0] * _SUMS

    def add(
        self, one: LossFigures, value_loss: float, engine_gap: float, num_compared: int
    ) -> None:
        """A micro-batch. `engine_gap` is a sum over `num_compared` tokens and choices."""
        n, rows = one.num_tokens, one.num_rows + one.num_stale_rows
        added = [
            one.loss + value_loss,
            one.policy_loss,
            value_loss,
            (one.entropy or 0.0) * n,
            (one.kl or 0.0) * n,
            one.clipped_share * n,
            one.mean_ratio * n,
            one.logprob_gap * n,
            n,
            one.num_rows,
            one.mean_staleness * rows,
            engine_gap,
            num_compared,
        ]
        self.values = [a + b for a, b in zip(self.values, added, strict=True)]

    @property
    def engine_gap(self) -> float | None:
        """Mean |trainer - engine| in nats, over rows of the version that training began with.

        None where the step has none.
        """
        *_, total, num_compared = self.values
        return total / num_compared if num_compared else None

    def figures(
        self,
        *,
        step: int,
        epoch: int,
        has_kl: bool,
        has_critic: bool,
        gradient_norm: float,
        threshold: float,
        seconds: float,
    ) -> StepFigures:
        """The step's figures."""
        loss, policy, value, entropy, kl, clipped, ratio, gap, *counts, _, _ = self.values
        tokens, rows, staleness = counts
        n = max(1.0, tokens)
        return StepFigures(
            step=step,
            epoch=epoch,
            loss=loss,
            policy_loss=policy,
            value_loss=value if has_critic else None,
            entropy=entropy / n,
            kl=kl / n if has_kl else None,
            clipped_share=clipped / n,
            mean_ratio=ratio / n,
            logprob_gap=gap / n,
            mean_staleness=staleness / max(1.0, rows),
            num_tokens=int(tokens),
            num_rows=int(rows),
            gradient_norm=gradient_norm,
            threshold=threshold,
            tokens_per_s=tokens / seconds,
        )
