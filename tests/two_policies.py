"""A house of two policies: a large one that divides and merges, a small one that answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from banyan.policy import BASE, Policies
from banyan.prices import Prices
from banyan.testing import Rule, ScriptedEngine
from tests.growing import Grower, answer_first, rule

LARGE = BASE.model_copy(
    update={
        "version": "large",
        "about": "careful",
        "prices": Prices(prompt=600, cached=60, completion=2_400),
    }
)
SMALL = BASE.model_copy(
    update={
        "version": "small",
        "briefs": False,
        "cites": False,
        "prices": Prices(prompt=50, cached=50, completion=201),
    }
)
BOTH = Policies([LARGE, SMALL], live="large")
SMALL_WINDOW = 1_024


def house(rule_of_large: Rule | None = None, *, large_window: int = 8_192) -> Grower:
    """A large engine, which writes by its rule, and a small one that answers."""
    split = rule(split_plainly)
    return Grower(
        ScriptedEngine(rule=rule_of_large or split, window=large_window),
        policies=BOTH,
        others={"small": ScriptedEngine(rule=rule(answer_first), window=SMALL_WINDOW)},
    )


def split_plainly(prompt: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    if "split" in properties:
        return {"brief": "look", "split": {"goal": "find it", "expects": None}}
    return answer_first(prompt, properties)
