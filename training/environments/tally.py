"""Tally: how many of the records have a label, over far more records than a view holds.

The kind of question of `aggregate` that one number answers: a part is asked the same of its half,
and two counts are added up. The difficulty doubles the records: `4 * 2**difficulty`. At difficulty
0 some of the tasks are two counts to be added: that is a skill of its own, and sooner learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from banyan.action import Kind
from training.environments.aggregate import COUNT, DIGITS, LABELS
from training.environments.environment import FAILED, HIDDEN, Words, rng
from training.environments.errors import check_difficulty
from training.environments.spans import BETWEEN, SpanGoal

RECORDS = {f"{label}{number}": label for label in LABELS for number in range(4)}
MAX_DOUBLINGS = 4
_NUM_RECORDS_AT_0 = 4
_MAX_ADDED = 9
_ADDED_SHARE = 0.25


class TallyGoal(SpanGoal):
    """`question` is `count LABEL`; `added` are the counts of a task that has no records."""

    def __init__(
        self, question: Words, items: Sequence[Words], added: tuple[int, int] | None = None
    ) -> None:
        super().__init__(question, items)
        self.added = added
        if added is not None:
            self.found = (*_number(added[0]), BETWEEN, *_number(added[1]))

    def truth(self) -> Words:
        if self.added is not None:
            return _number(sum(self.added))
        return _number(sum(RECORDS[record] == self.question[1] for (record,) in self.items))

    def choices(self, kind: Kind, written: Words) -> Words:
        return DIGITS if kind == "answer" and len(written) < len(_number(0)) else ()

    def half(self, items: Sequence[Words]) -> Self:
        return type(self)(self.question, items)


class Tally:
    name = "tally"
    words = (*RECORDS, *LABELS, *DIGITS, COUNT, BETWEEN, HIDDEN, FAILED)
    num_view_tokens = 12
    shares_state = False

    def generate(self, seed: int, difficulty: int) -> TallyGoal:
        check_difficulty(self.name, difficulty, 0, MAX_DOUBLINGS)
        random = rng(self.name, seed, difficulty)
        question = (COUNT, random.choice(LABELS))
        if difficulty == 0 and random.random() < _ADDED_SHARE:
            return TallyGoal(
                question, (), (random.randint(0, _MAX_ADDED), random.randint(0, _MAX_ADDED))
            )
        share = random.uniform(0.1, 0.9)
        others = [record for record, label in RECORDS.items() if label != question[1]]
        wanted = [record for record, label in RECORDS.items() if label == question[1]]
        items = [
            (random.choice(wanted if random.random() < share else others),)
            for _ in range(_NUM_RECORDS_AT_0 << difficulty)
        ]
        return TallyGoal(question, items)

    def max_steps(self, difficulty: int) -> int:
        """More than it takes to read the records one by one."""
        return 4 * _NUM_RECORDS_AT_0 << difficulty


def _number(count: int) -> Words:
    """Two digits, which are enough for all records."""
    return tuple(f"{count:02d}")
