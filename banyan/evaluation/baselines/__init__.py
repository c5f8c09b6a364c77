"""Baselines: what people do today with a text that exceeds the window, on the same engine.

Each is one method in a file of its own, greedy, with the window of the service and prompts of
`prompts.py`. A text that fits is read in one call by all of them.
"""

from __future__ import annotations

from banyan.errors import InvalidInput
from banyan.evaluation.baselines.baseline import Baseline
from banyan.evaluation.baselines.bm25 import bm25
from banyan.evaluation.baselines.head import head
from banyan.evaluation.baselines.head_tail import head_tail
from banyan.evaluation.baselines.job import Method
from banyan.evaluation.baselines.map_reduce import map_reduce
from banyan.evaluation.baselines.refine import refine
from banyan.evaluation.question import System
from banyan.ports import Engine

_METHODS: dict[str, Method] = {
    "head": head,
    "head_tail": head_tail,
    "refine": refine,
    "map_reduce": map_reduce,
    "bm25": bm25,
}

BASELINES: tuple[str, ...] = tuple(_METHODS)


def make_baseline(name: str, *, engine: Engine, window: int) -> System:
    """The baseline `name` on `engine` with `window` tokens of prompt and reply together.

    Raises InvalidInput for an unknown name.
    """
    method = _METHODS.get(name)
    if method is None:
        raise InvalidInput(
            f"there is no baseline {name!r}", hint=f"There are: {', '.join(BASELINES)}."
        )
    return Baseline(name, method, engine=engine, window=window)


__all__ = ["BASELINES", "make_baseline"]
