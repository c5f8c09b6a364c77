"""`algebra`: a recursive agent against a single one on expressions of depth 8."""

from __future__ import annotations

from banyan.task import GateMode
from training.environments.algebra import Algebra
from training.experiments.comparison import ARMS, RECURSIVE, SINGLE, Comparison, Results
from training.experiments.experiment import (
    MIN_SEEDS,
    Experiment,
    Findings,
    percent,
    success_grid,
)
from training.experiments.measuring import MODES
from training.experiments.report import Grid

COMPARISON = Comparison(
    environment=Algebra(),
    train_difficulties=(1, 2, 3, 4),
    eval_difficulties=(1, 2, 3, 4, 5, 6, 7, 8),
    curve_difficulties=(4, 8),
)
DEEPEST = 8
GATE: GateMode = "threshold"
"""How the policy is served."""
_CLAIMED = {RECURSIVE: 0.87, SINGLE: 0.48}


def _find(results: Results) -> Findings:
    ours = results.success(RECURSIVE, GATE, DEEPEST, is_trained=True)
    single = results.success(SINGLE, GATE, DEEPEST, is_trained=True)
    gain = results.gain(GATE, DEEPEST)
    if results.preset.num_seeds < MIN_SEEDS:
        judged = "too few seeds to judge"
    else:
        met = ours.mean >= _CLAIMED[RECURSIVE] and gain.low > 0
        judged = "met" if met else "not met"
    verdict = (
        f"Depth {DEEPEST}, gate {GATE}, after RL at depth <= 4: recursive {percent(ours)} %, "
        f"single {percent(single)} %, difference {percent(gain)} points. Claim: {judged}."
    )
    return Findings(verdict, [success_grid(results), _costs(results)], _NOTES)


def _costs(results: Results) -> Grid:
    rows = []
    for arm in ARMS:
        for mode in MODES:
            cells = results.cells(arm, mode, DEEPEST, is_trained=True)
            means = [
                sum(values) / len(cells)
                for values in (
                    [cell.num_steps for cell in cells],
                    [cell.num_nodes for cell in cells],
                    [cell.num_waves for cell in cells],
                )
            ]
            rows.append([arm, mode, *(f"{mean:.1f}" for mean in means)])
    columns = ["agent", "gate", "steps", "nodes", "steps in sequence"]
    return Grid(f"Cost of a task at depth {DEEPEST}, after RL", columns, rows, num_names=2)


_NOTES = [
    "An interval is the 95 % bootstrap over seeds, each with a warm-up of its own.",
    "All are measured on the same tasks, which training never saw.",
    "Words are the likeliest ones, but under `sampled`, where they are drawn.",
    "One answer of ten is right by chance.",
    "`always` after the warm-up is what the structure brings without RL.",
    "The single agent has that structure too: it reads the parts in sequence, in the same view.",
]

ALGEBRA = Experiment(
    name="algebra",
    title="Algebra: expressions of depth 8, trained at depth 4 and below",
    claim="a recursive agent solves 87 %, a single one of the same size 48 %",
    comparison=COMPARISON,
    find=_find,
)
