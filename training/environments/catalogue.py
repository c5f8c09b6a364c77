"""Catalogue: the environments by name."""

from __future__ import annotations

from training.environments.aggregate import Aggregate
from training.environments.algebra import Algebra
from training.environments.chain import Chain
from training.environments.dialog import Dialog
from training.environments.environment import Environment
from training.environments.errors import UnknownEnvironment
from training.environments.long_sequence import LongSequence
from training.environments.maze import Maze
from training.environments.needle import Needle
from training.environments.recall import Recall
from training.environments.tally import Tally
from training.environments.textcraft import Textcraft

ENVIRONMENTS: dict[str, Environment] = {
    environment.name: environment
    for environment in (
        Aggregate(),
        Algebra(),
        Chain(),
        Dialog(),
        LongSequence(),
        Maze(),
        Needle(),
        Recall(),
        Tally(),
        Textcraft(),
    )
}


def environment(name: str) -> Environment:
    """Raises UnknownEnvironment."""
    try:
        return ENVIRONMENTS[name]
    except KeyError:
        raise UnknownEnvironment(
            f"no environment is called {name!r}",
            hint=f"There are {', '.join(sorted(ENVIRONMENTS))}.",
        ) from None
