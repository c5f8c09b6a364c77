"""`credit`: depth weights, lambda, its baseline, and a curriculum: gradients and success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from banyan.evaluation.stats import estimate
from training.experiments.algebra import COMPARISON as ALGEBRA
from training.experiments.algebra import DEEPEST
from training.experiments.arm import Agent
from training.experiments.comparison import RECURSIVE, Results
from training.experiments.experiment import MIN_SEEDS, Experiment, Findings, percent, success_grid
from training.experiments.report import Grid
from training.experiments.results import DepthGradient, GradientSpread
from training.experiments.versus import GATE

UNWEIGHTED = "unweighted"
COMPARISON = replace(
    ALGEBRA,
    agents=(
        Agent(RECURSIVE),
        Agent(UNWEIGHTED, learns_by=partial(replace, uses_depth_weights=False)),
        Agent("lambda-root", learns_by=partial(replace, lambda_=0.4)),
        Agent("lambda-success", learns_by=partial(replace, lambda_=0.4, baseline="success")),
        Agent("curriculum", has_curriculum=True),
    ),
)
"""Each differs from the first, which is `algebra`'s, in one thing."""


def _find(results: Results) -> Findings:
    gains = [
        f"{arm} {percent(results.gain(GATE, DEEPEST, arm, RECURSIVE))}"
        for arm in results.arms
        if arm != RECURSIVE
    ]
    judged = "." if results.preset.num_seeds >= MIN_SEEDS else "; too few seeds to judge."
    verdict = (
        f"Points of success at depth {DEEPEST} after RL, gate {GATE}, more than {RECURSIVE}: "
        f"{', '.join(gains)}{judged}"
    )
    grids = [_spread_grid(results), _noise_grid(results), success_grid(results)]
    return Findings(verdict, grids, _NOTES)


def _spread_grid(results: Results) -> Grid:
    """Of each depth that every seed's batch has, after the warm-up and after RL."""
    rows = []
    for arm in results.arms:
        for is_trained in (False, True):
            spreads = _spreads(results, arm, is_trained=is_trained)
            rows += [
                [arm, _when(is_trained=is_trained), *_depth_row(parts, spreads)]
                for parts in zip(*(spread.depths for spread in spreads), strict=False)
            ]
    columns = ["agent", "after", "depth", "nodes", "variance", "weight", "share of batch %"]
    return Grid("Variance of a node's gradient by depth", columns, rows, num_names=3)


def _depth_row(parts: Sequence[DepthGradient], spreads: Sequence[GradientSpread]) -> list[str]:
    shares = [
        _scattered(part) / total if (total := sum(map(_scattered, spread.depths))) else 0.0
        for part, spread in zip(parts, spreads, strict=True)
    ]
    num = len(parts)
    return [
        str(parts[0].depth),
        f"{sum(part.num_nodes for part in parts) / num:.0f}",
        f"{sum(part.variance for part in parts) / num:.3g}",
        f"{sum(part.weight for part in parts) / num:.2f}",
        f"{100 * sum(shares) / num:.0f}",
    ]


def _scattered(part: DepthGradient) -> float:
    """What the depth adds to the variance of the batch's sum, if its nodes were independent."""
    return part.weight**2 * part.num_nodes * part.variance


def _noise_grid(results: Results) -> Grid:
    rows = []
    for arm in results.arms:
        row = [arm]
        for is_trained in (False, True):
            noises = [
                (spread.noise,)
                for spread in _spreads(results, arm, is_trained=is_trained)
                if spread.noise is not None
            ]
            row.append(_interval(noises))
        rows.append(row)
    columns = ["agent", "after warm-up", "after RL"]
    return Grid("Noise of a batch's gradient: variance over squared length", columns, rows)


def _interval(rows: Sequence[tuple[float]]) -> str:
    if not rows:
        return "-"
    value = estimate(rows)
    if value.n == 1:
        return f"{value.mean:.3f}"
    return f"{value.mean:.3f} ({value.low:.3f}-{value.high:.3f})"


def _spreads(results: Results, arm: str, *, is_trained: bool) -> list[GradientSpread]:
    """One for each seed."""
    return [
        spread
        for run in results.of(arm)
        for spread in run.gradients
        if spread.is_trained == is_trained
    ]


def _when(*, is_trained: bool) -> str:
    return "RL" if is_trained else "warm-up"


_NOTES = [
    "Every arm of a seed has the same warm-up: after it, all are measured on the same trees.",
    "After RL the policies differ, and so do the trees that they grow on the same tasks.",
    "A node's gradient is its advantage times the gradient of the log-likelihood of its tokens.",
    "Share of batch: weight squared, times nodes, times variance, of all depths together.",
    "Noise is over groups, which are independent; below 1 the direction stands out.",
    "`recursive` has depth weights, lambda 0, and all depths from the start.",
    "`lambda-root` and `lambda-success`: lambda 0.4, compared with the root's reward or success.",
]

CREDIT = Experiment(
    name="credit",
    title="Credit: depth weights, lambda, baseline and curriculum",
    claim="depth weights even out the gradient's variance over depth; a curriculum helps",
    comparison=COMPARISON,
    find=_find,
)
