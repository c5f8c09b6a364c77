"""Metrics that several sets share. Every value is between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from banyan.evaluation.question import Score

_MEASURES = {"r1": "rouge1", "r2": "rouge2", "rl": "rougeL"}

ROUGE = tuple(_MEASURES)
"""The parts of a score by ROUGE."""


@cache
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415 - loads NLTK

    return RougeScorer(list(_MEASURES.values()), use_stemmer=True)


def rouge(answer: str, references: Sequence[str]) -> Score:
    """ROUGE-1, -2 and -L F1: of each the largest over the references, and their geometric mean.

    Over several items the headline is the geometric mean of the three means, see `stats.py`.
    Raises ValueError without a reference.
    """
    if not references:
        raise ValueError("ROUGE needs at least one reference")
    scored = [_scorer().score(reference, answer) for reference in references]
    parts = {
        name: max(float(one[measure].fmeasure) for one in scored)
        for name, measure in _MEASURES.items()
    }
    return Score((parts["r1"] * parts["r2"] * parts["rl"]) ** (1 / 3), parts)


def f1(found: Sequence[object], wanted: Sequence[object]) -> float:
    """F1 of two multisets; 1 where both are empty."""
    if not found and not wanted:
        return 1.0
    left = list(wanted)
    hits = 0
    for one in found:
        if one in left:
            left.remove(one)
            hits += 1
    return 2 * hits / (len(found) + len(wanted))
