"""Promotion: whether new weights are good enough to serve, from rewards. Pure.

A version is non-inferior where the lower end of the 95 % interval of its gain in mean reward lies
above `-margin`. Intervals are Student's: of paired differences where both versions were run on the
same tasks, Welch's where they were not (a canary and the live version get different trees).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance
from typing import Literal

from pydantic import BaseModel, ConfigDict

from banyan.manifest import Manifest

MIN_TASKS = 20
"""Fewer rewards than this show nothing, whatever they are."""
CONFIDENCE = 0.95

Verdict = Literal["non_inferior", "inferior", "open"]


class Rules(BaseModel):
    """What a version must show. `margin` is in units of reward, `max_logprob_gap` in nats."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = 0.02
    max_logprob_gap: float = 0.1
    canary_trees: int = 64
    """Rewards of each side before a canary is judged at all."""


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean reward of the candidate minus that of the live version, with its 95 % interval."""

    mean: float
    low: float
    high: float
    num_candidate: int
    num_live: int

    def verdict(self, margin: float) -> Verdict:
        """`inferior` only where this is shown too; in between it is open."""
        if self.low > -margin:
            return "non_inferior"
        return "inferior" if self.high < -margin else "open"

    def __str__(self) -> str:
        return f"gain {self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def paired(candidate: Mapping[str, float], live: Mapping[str, float]) -> Gain:
    """The gain on the same tasks. Raises ValueError where the tasks differ, or are under two."""
    if candidate.keys() != live.keys():
        raise ValueError("both versions must be evaluated on the same tasks")
    gains = [candidate[task] - live[task] for task in sorted(candidate)]
    n = len(gains)
    if n < 2:
        raise ValueError("an interval needs at least two tasks")
    half = _t(n - 1) * math.sqrt(variance(gains) / n)
    mean = fmean(gains)
    return Gain(mean, mean - half, mean + half, n, n)


def unpaired(candidate: Sequence[float], live: Sequence[float]) -> Gain:
    """The gain between different trees (Welch 1947). Raises ValueError for under two of a side."""
    if min(len(candidate), len(live)) < 2:
        raise ValueError("an interval needs at least two rewards of each side")
    shares = [variance(side) / len(side) for side in (candidate, live)]
    total = sum(shares)
    freedom = float(len(candidate) + len(live) - 2)
    if total > 0.0:
        parts = zip(shares, (candidate, live), strict=True)
        freedom = total**2 / sum(share**2 / (len(side) - 1) for share, side in parts)
    half = _t(freedom) * math.sqrt(total)
    mean = fmean(candidate) - fmean(live)
    return Gain(mean, mean - half, mean + half, len(candidate), len(live))


def reasons_against(manifest: Manifest, rules: Rules, *, live_version: str) -> tuple[str, ...]:
    """Why a staged version must be rejected; empty: it is verified."""
    reasons = []
    if manifest.logprob_gap is not None and manifest.logprob_gap > rules.max_logprob_gap:
        reasons.append(
            f"trainer and engine differ by {manifest.logprob_gap:.4f} nats a token, "
            f"more than {rules.max_logprob_gap}"
        )
    evaluation = manifest.evaluation
    if evaluation.live_version != live_version:
        reasons.append(
            f"it was evaluated against {evaluation.live_version}, {live_version} is live"
        )
    if evaluation.candidate.keys() != evaluation.live.keys():
        reasons.append("both versions must be evaluated on the same tasks")
    elif len(evaluation.candidate) < MIN_TASKS:
        reasons.append(f"{len(evaluation.candidate)} tasks show nothing, {MIN_TASKS} are needed")
    else:
        gain = paired(evaluation.candidate, evaluation.live)
        if gain.verdict(rules.margin) != "non_inferior":
            reasons.append(f"not shown to be non-inferior within {rules.margin}: {gain}")
    return tuple(reasons)


def judge_canary(
    canary: Sequence[float], live: Sequence[float], rules: Rules
) -> tuple[Verdict, Gain | None]:
    """What the rewards of trees in service say so far; open where there are too few."""
    if min(len(canary), len(live)) < max(MIN_TASKS, rules.canary_trees):
        return "open", None
    gain = unpaired(canary, live)
    return gain.verdict(rules.margin), gain


def _t(freedom: float) -> float:
    """The two-sided 95 % quantile of Student's t (Abramowitz and Stegun 26.7.5).

    Off by less than 0.0005 from 10 degrees of freedom on; callers have at least 19.
    """
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
