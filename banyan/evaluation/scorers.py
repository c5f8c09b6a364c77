"""Scorers: reasoning-gym's own, by the name of its dataset."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def score_answer(
    dataset: str, config: Mapping[str, Any], answer: str, entry: Mapping[str, Any]
) -> float:
    """Between 0 and 1. `entry` has the item's question, answer and metadata."""
    scorer = _scorer(dataset, json.dumps(dict(config), sort_keys=True))
    return float(scorer.score_answer(answer, dict(entry)))


@cache
def library() -> Any:
    """The package; it takes seconds to load."""
    if find_spec("pycosat") is None:
        # Its logic puzzles import a SAT solver that needs a C compiler; no set has such puzzles.
        sys.modules["pycosat"] = ModuleType("pycosat")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SyntaxWarning in one of its dependencies
        import reasoning_gym  # noqa: PLC0415

    return reasoning_gym


@cache
def _scorer(dataset: str, config: str) -> Any:
    return library().create_dataset(dataset, size=1, seed=0, **json.loads(config))
