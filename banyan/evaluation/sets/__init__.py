"""Sets: what can be evaluated, one file each, loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from banyan.evaluation.data import HOW
from banyan.evaluation.errors import Unknown
from banyan.evaluation.item import Item, Load
from banyan.evaluation.measure import BITS_PER_BYTE, SHARE, Measure
from banyan.evaluation.plan import BOOKS
from banyan.local.errors import Missing

SETS: tuple[str, ...] = (
    *("squality", "qmsum", "oolong_style", "babilong"),
    *("reasoning_gym", "sgd_dialog", "textcraft", "maze", BOOKS),
    *("examples", "contradictions"),
)


def measure_of(name: str) -> Measure:
    """What the scores of a set are."""
    return BITS_PER_BYTE if name == BOOKS else SHARE


def load_set(name: str, data: Path) -> list[Item]:
    """The items of a set in the order of its files. Raises Unknown, or Missing."""
    if name not in SETS:
        raise Unknown(f"there is no set {name!r}", hint=f"Sets: {', '.join(SETS)}.")
    load: Load = import_module(f"{__name__}.{name}").load
    items = load(data)
    if not items:
        raise Missing(f"the set {name} in {data} has no items", hint=HOW)
    return items
