"""Long sequence: a question over many times the window; the difficulty is the number of levels.

Difficulty d makes `1250 * 2**(d - 1)` tokens of filler with marked digits in it: 10,000 at 4, whose
eighths, three levels down, fit a window of 2,048. The question is the sum of all marked digits
modulo 10, so that no token may be passed over. What fits the window is read, and not divided. The
answers of halves stand in their places as marked digits: who can add up a text can put answers
together. At difficulty 1 a text is a part of a longer one, with as many marks as fell into it, or
the answers of two halves are to be put together. Language modelling on long texts is in
`language_source.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Self

from banyan.action import Kind
from training.environments.environment import FAILED, HIDDEN, Words, rng
from training.environments.errors import check_difficulty
from training.environments.spans import SpanGoal

SUM, MARK = "sum", "mark"
DIGITS = tuple("0123456789")
FILLER = tuple(f"filler{number}" for number in range(16))
MAX_LEVELS = 8
_MAX_LEVELS_AROUND = 4
"""Of the texts that those of difficulty 1 are parts of."""
_READ_SHARE = 0.5
"""Of those texts that have halves: a part is read, and not the answers of halves."""


class LongSequenceGoal(SpanGoal):
    def __init__(self, question: Words, items: Sequence[Words], num_view_tokens: int) -> None:
        super().__init__(question, items)
        self.num_view_tokens = num_view_tokens

    @property
    def fits(self) -> bool:
        """Whether the window shows all items."""
        return self.num_tokens <= self.room(self.num_view_tokens)

    def kinds(self) -> tuple[Kind, ...]:
        return ("answer",) if self.fits else super().kinds()

    def truth(self) -> Words:
        return (str(sum(int(item[1]) for item in self.items if item[0] == MARK) % 10),)

    def choices(self, kind: Kind, written: Words) -> Words:
        return DIGITS if kind == "answer" and not written else ()

    def half(self, items: Sequence[Words]) -> Self:
        return type(self)(self.question, items, self.num_view_tokens)

    def merge(self, answers: Sequence[Words | None]) -> None:
        self.found = tuple(
            word
            for answer in answers
            for word in (MARK, *((FAILED,) if answer is None else answer))
        )


class LongSequence:
    """`num_tokens_at_1` and `num_view_tokens` make smaller ones of the same shape.

    Up to twice `mark_share` of the tokens are marks; all numbers of them are as likely.
    """

    name = "long_sequence"
    words = (SUM, MARK, *DIGITS, *FILLER, HIDDEN, FAILED)
    shares_state = False

    def __init__(
        self,
        *,
        num_tokens_at_1: int = 1_250,
        num_view_tokens: int = 2_048,
        mark_share: float = 0.004,
    ) -> None:
        self.num_tokens_at_1 = num_tokens_at_1
        self.num_view_tokens = num_view_tokens
        self.mark_share = mark_share

    def generate(self, seed: int, difficulty: int) -> LongSequenceGoal:
        check_difficulty(self.name, difficulty, 1, MAX_LEVELS)
        random = rng(self.name, seed, difficulty)
        if difficulty > 1:
            return self._text(random, difficulty)
        part = self._text(random, random.randint(2, _MAX_LEVELS_AROUND))
        is_read = part.fits or random.random() < _READ_SHARE
        if not is_read:
            part.merge([half.truth() for half in part.parts(())])
        while is_read and not part.fits:
            part = random.choice(part.parts(()))
        return part

    def _text(self, random: Random, difficulty: int) -> LongSequenceGoal:
        num_tokens = self._num_tokens(difficulty)
        num_marks = random.randint(0, round(2 * num_tokens * self.mark_share))
        items: list[Words] = [(MARK, random.choice(DIGITS)) for _ in range(num_marks)]
        items += [(random.choice(FILLER),) for _ in range(num_tokens - 2 * num_marks)]
        random.shuffle(items)
        return LongSequenceGoal((SUM,), items, self.num_view_tokens)

    def max_steps(self, difficulty: int) -> int:
        """What it takes to read the text in pieces of one token."""
        return 4 * self._num_tokens(difficulty)

    def _num_tokens(self, difficulty: int) -> int:
        return self.num_tokens_at_1 << (difficulty - 1)
