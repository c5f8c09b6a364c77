"""`depth`: what was learned at depth <= 4 solves what is deeper, without tuning."""

from __future__ import annotations

from training.experiments.algebra import COMPARISON, DEEPEST
from training.experiments.comparison import ARMS, RECURSIVE, Results
from training.experiments.experiment import Experiment, Findings, percent
from training.experiments.report import Grid
from training.experiments.versus import GATE


def _find(results: Results) -> Findings:
    trained = COMPARISON.train_difficulties
    rows = [
        [
            str(depth),
            "yes" if depth in trained else "no",
            *(percent(results.success(arm, GATE, depth, is_trained=True)) for arm in ARMS),
        ]
        for depth in COMPARISON.eval_difficulties
    ]
    seen = results.success(RECURSIVE, GATE, max(trained), is_trained=True)
    unseen = results.success(RECURSIVE, GATE, DEEPEST, is_trained=True)
    verdict = (
        f"The recursive agent solves {percent(seen)} % at depth {max(trained)}, the deepest that it"
        f" was trained on, and {percent(unseen)} % at depth {DEEPEST}."
    )
    columns = ["depth", "trained on", *ARMS]
    grid = Grid(f"Success in % after RL, gate {GATE}", columns, rows, num_names=2)
    return Findings(verdict, [grid], [])


DEPTH = Experiment(
    name="depth",
    title="Depth: trained at depth 4 and below, measured down to 8",
    claim="trained at depth <= 4, solves depth 8 without tuning",
    comparison=COMPARISON,
    find=_find,
)
