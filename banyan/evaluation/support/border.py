"""Border: from which log odds on a judge means yes. Pure.

Models like one word more than the other whatever they read. So the border is put where it tells
the controls apart best. A control is judged by the border of the other half of the controls: none
has a say in its own verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from banyan.evaluation.support.result import Judgement

_FEWEST = 5
"""Controls of each kind in each half; with fewer the border stays at zero."""


def fit(true: Sequence[float], false: Sequence[float]) -> float:
    """The log odds with the most of both kinds on the right side; each kind weighs the same.

    Of several as good, the one in the middle.
    """
    places = sorted({*true, *false})
    middles = [(low + high) / 2 for low, high in pairwise(places)]

    def right(border: float) -> float:
        yes = sum(one > border for one in true) / len(true)
        no = sum(one <= border for one in false) / len(false)
        return yes + no

    candidates = [places[0] - 1.0, *middles, places[-1] + 1.0]
    most = max(map(right, candidates))
    best = [one for one in candidates if right(one) == most]
    return best[len(best) // 2]


def fitted(judgements: Sequence[Judgement]) -> tuple[list[Judgement], float | None]:
    """The judgements by fitted borders, and the border for citations.

    As they are, and None, where there are no log odds or too few controls.
    """
    halves = [_odds(judgements, half) for half in (0, 1)]
    if any(len(odds) < _FEWEST for half in halves for odds in half):
        return [*judgements], None
    by_half = [fit(*halves[1]), fit(*halves[0])]
    (true_0, false_0), (true_1, false_1) = halves
    whole = fit([*true_0, *true_1], [*false_0, *false_1])
    counts = {"control_true": 0, "control_false": 0}
    result = []
    for one in judgements:
        border = whole
        if one.kind != "cited":
            border = by_half[counts[one.kind] % 2]
            counts[one.kind] += 1
        result.append(_by(one, border))
    return result, whole


def _by(one: Judgement, border: float) -> Judgement:
    if one.log_odds is None:
        return one
    return one.model_copy(update={"supported": one.log_odds > border})


def _odds(judgements: Sequence[Judgement], half: int) -> tuple[list[float], list[float]]:
    """Of every second control, true ones and false ones."""
    kinds = [
        [one.log_odds for one in judgements if one.kind == kind][half::2]
        for kind in ("control_true", "control_false")
    ]
    true, false = ([one for one in odds if one is not None] for odds in kinds)
    return true, false
