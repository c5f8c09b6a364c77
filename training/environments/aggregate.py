"""Aggregate: records with labels, and a question over all of them, as in Oolong.

The difficulty doubles the records: `4 * 2**difficulty`. A record is a word whose label has to be
known; the question asks how many records a label has, which label is the commonest, or which of two
labels has more. A part always answers with the counts of all labels in its span.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Self

from banyan.action import Kind
from training.environments.environment import FAILED, HIDDEN, Words, rng
from training.environments.errors import check_difficulty
from training.environments.spans import BETWEEN, SpanGoal

LABELS = ("red", "green", "blue", "grey")
RECORDS = {f"{label}{number}": label for label in LABELS for number in range(8)}
DIGITS = tuple("0123456789")
COUNTS, COUNT, MOST, MORE = "counts", "count", "most", "more"
EQUAL = "equal"
MAX_DOUBLINGS = 10
_NUM_RECORDS_AT_0 = 4
_NUM_DIGITS = 4
"""Enough for all records of the highest difficulty."""


class AggregateGoal(SpanGoal):
    """`question` is `counts`, `count LABEL`, `most`, or `more LABEL LABEL`."""

    def truth(self) -> Words:
        counts = Counter(RECORDS[record] for (record,) in self.items)
        match self.question:
            case (str(kind),) if kind == COUNTS:
                return tuple(digit for label in LABELS for digit in _number(counts[label]))
            case (str(kind), str(label)) if kind == COUNT:
                return _number(counts[label])
            case (str(kind),) if kind == MOST:
                return (max(LABELS, key=lambda label: counts[label]),)
            case (_, left, right):
                difference = counts[left] - counts[right]
                return (EQUAL if difference == 0 else left if difference > 0 else right,)
        raise ValueError(f"no question: {self.question}")

    def choices(self, kind: Kind, written: Words) -> Words:
        if kind != "answer":
            return ()
        asked = self.question[0]
        if asked in (COUNTS, COUNT):
            num_digits = _NUM_DIGITS * (len(LABELS) if asked == COUNTS else 1)
            return DIGITS if len(written) < num_digits else ()
        if written:
            return ()
        return LABELS if asked == MOST else (*self.question[1:], EQUAL)

    def half(self, items: Sequence[Words]) -> Self:
        return type(self)((COUNTS,), items)


class Aggregate:
    name = "aggregate"
    words = (
        *RECORDS,
        *LABELS,
        *DIGITS,
        *(COUNTS, COUNT, MOST, MORE, EQUAL),
        *(BETWEEN, HIDDEN, FAILED),
    )
    num_view_tokens = 40
    shares_state = False

    def generate(self, seed: int, difficulty: int) -> AggregateGoal:
        check_difficulty(self.name, difficulty, 0, MAX_DOUBLINGS)
        random = rng(self.name, seed, difficulty)
        weights = [random.uniform(0.5, 2.0) for _ in LABELS]
        records = list(RECORDS)
        weight_of = dict(zip(LABELS, weights, strict=True))
        items = random.choices(
            records,
            weights=[weight_of[RECORDS[record]] for record in records],
            k=_NUM_RECORDS_AT_0 * 2**difficulty,
        )
        question = _question(random, Counter(RECORDS[record] for record in items))
        return AggregateGoal(question, [(record,) for record in items])

    def max_steps(self, difficulty: int) -> int:
        """Twice what it takes to read the records one by one."""
        return 4 * _NUM_RECORDS_AT_0 << difficulty


def _question(random: Random, counts: Counter[str]) -> Words:
    """`most` is asked only where one label is the commonest."""
    top = counts.most_common(2)
    has_one = len(top) == 1 or top[0][1] > top[1][1]
    match random.choice((COUNT, MOST, MORE) if has_one else (COUNT, MORE)):
        case "count":
            return (COUNT, random.choice(LABELS))
        case "most":
            return (MOST,)
        case _:
            return (MORE, *random.sample(LABELS, 2))


def _number(count: int) -> Words:
    return tuple(f"{count:0{_NUM_DIGITS}d}")
