"""`algebra`: a recursive agent against a single one on expressions of depth 8."""

from __future__ import annotations

from training.environments.algebra import Algebra
from training.experiments.comparison import Comparison
from training.experiments.experiment import Experiment
from training.experiments.versus import Versus

COMPARISON = Comparison(
    environment=Algebra(),
    train_difficulties=(1, 2, 3, 4),
    eval_difficulties=(1, 2, 3, 4, 5, 6, 7, 8),
    curve_difficulties=(4, 8),
)
DEEPEST = 8

ALGEBRA = Experiment(
    name="algebra",
    title="Algebra: expressions of depth 8, trained at depth 4 and below",
    claim="a recursive agent solves 87 %, a single one of the same size 48 %",
    comparison=COMPARISON,
    find=Versus(
        difficulty=DEEPEST,
        where=f"Depth {DEEPEST}, gate threshold, after RL at depth <= 4",
        claimed=0.87,
        notes=["One answer of ten is right by chance."],
    ).find,
)
