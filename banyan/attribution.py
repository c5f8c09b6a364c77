"""Attribution: which passages an answer rests on, where its author did not say. Pure.

Each sentence of the answer is attributed to the passage that shares the most telling words with
it. It is how a policy cites that is too small to name passages by number, and how an answer is
cited that was cut off before its citations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from banyan.boundaries import Rank, every
from banyan.words import weights, words

_SENTENCES = frozenset({Rank.LINE, Rank.SENTENCE})


def attribute(answer: str, goal: str, passages: Sequence[str], most: int) -> tuple[int, ...]:
    """Numbers (from 1) of at most `most` of `passages`, in the order of the answer's sentences.

    Where no sentence shares a word with a passage, the goal's words decide; else none is cited.
    """
    spoken = [words(passage) for passage in passages]
    known = weights(spoken)
    sets = [frozenset(passage) for passage in spoken]
    cited: dict[int, None] = {}
    for sentence in sentences(answer):
        best = _best(words(sentence), sets, known)
        if best is not None:
            cited.setdefault(best)
    if not cited:
        best = _best(words(goal), sets, known)
        cited = {} if best is None else {best: None}
    return tuple(number + 1 for number in list(cited)[:most])


def sentences(text: str) -> list[str]:
    """`text` cut where sentences and lines end."""
    cuts = [0, *every(text, _SENTENCES), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if end > start]


def _best(
    sentence: Sequence[str], passages: Sequence[frozenset[str]], known: Mapping[str, float]
) -> int | None:
    """The index of the passage that shares most; the first of equals; None where none does."""
    best, most = None, 0.0
    for index, passage in enumerate(passages):
        shared = passage.intersection(sentence)
        # Longer passages share words by chance.
        score = sum(known[word] for word in shared) / math.sqrt(1 + len(passage))
        if score > most:
            best, most = index, score
    return best
