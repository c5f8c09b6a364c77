"""Registry: the experiments by name."""

from __future__ import annotations

from training.experiments.algebra import ALGEBRA
from training.experiments.credit import CREDIT
from training.experiments.depth import DEPTH
from training.experiments.dialog import DIALOG
from training.experiments.efficiency import EFFICIENCY
from training.experiments.errors import UnknownExperiment
from training.experiments.experiment import Measurable
from training.experiments.gate import GATE
from training.experiments.links import LINKS
from training.experiments.long_sequence import LONG_SEQUENCE
from training.experiments.maze import MAZE
from training.experiments.memory import MEMORY
from training.experiments.oolong import OOLONG
from training.experiments.parallel import PARALLEL
from training.experiments.state import STATE
from training.experiments.textcraft import TEXTCRAFT
from training.experiments.unsuitable import UNSUITABLE

_ALL: tuple[Measurable, ...] = (
    *(ALGEBRA, DEPTH, EFFICIENCY, GATE, CREDIT, UNSUITABLE, PARALLEL),
    *(LONG_SEQUENCE, MAZE, DIALOG, TEXTCRAFT, OOLONG, MEMORY, LINKS, STATE),
)
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
