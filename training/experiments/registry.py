"""Registry: the experiments by name."""

from __future__ import annotations

from training.experiments.algebra import ALGEBRA
from training.experiments.credit import CREDIT
from training.experiments.depth import DEPTH
from training.experiments.efficiency import EFFICIENCY
from training.experiments.errors import UnknownExperiment
from training.experiments.experiment import Measurable
from training.experiments.gate import GATE
from training.experiments.parallel import PARALLEL
from training.experiments.unsuitable import UNSUITABLE

_ALL: tuple[Measurable, ...] = (ALGEBRA, DEPTH, EFFICIENCY, GATE, CREDIT, UNSUITABLE, PARALLEL)
EXPERIMENTS = {experiment.name: experiment for experiment in _ALL}
ALL = "all"


def chosen(name: str) -> list[Measurable]:
    """One, or `all`. Raises UnknownExperiment."""
    if name == ALL:
        return list(EXPERIMENTS.values())
    if name not in EXPERIMENTS:
        raise UnknownExperiment(
            f"no experiment is called {name!r}",
            hint=f"There are {', '.join(EXPERIMENTS)}, and {ALL}.",
        )
    return [EXPERIMENTS[name]]
