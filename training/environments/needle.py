"""Needle: one key among many, and its value; the difficulty is how often the text was doubled.

The text has `8 * 2**difficulty` tokens: pairs of a key and its value among filler. A part answers
`none` where the key is not in its span.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from banyan.action import Kind
from training.environments.environment import FAILED, HIDDEN, Words, rng
from training.environments.errors import check_difficulty
from training.environments.spans import BETWEEN, SpanGoal

NONE = "none"
KEYS = tuple(f"key{number}" for number in range(32))
VALUES = tuple(f"value{number}" for number in range(32))
FILLER = tuple(f"filler{number}" for number in range(8))
MAX_DOUBLINGS = 14
_NUM_TOKENS_AT_0 = 8
_PAIRS_SHARE = 0.1


class NeedleGoal(SpanGoal):
    """`question` is the key."""

    def truth(self) -> Words:
        (key,) = self.question
        return next(((item[1],) for item in self.items if item[0] == key), (NONE,))

    def choices(self, kind: Kind, written: Words) -> Words:
        return (*VALUES, NONE) if kind == "answer" and not written else ()

    def half(self, items: Sequence[Words]) -> Self:
        return type(self)(self.question, items)


class Needle:
    name = "needle"
    words = (*KEYS, *VALUES, *FILLER, NONE, BETWEEN, HIDDEN, FAILED)
    num_view_tokens = 16
    shares_state = False

    def generate(self, seed: int, difficulty: int) -> NeedleGoal:
        check_difficulty(self.name, difficulty, 0, MAX_DOUBLINGS)
        random = rng(self.name, seed, difficulty)
        num_tokens = _NUM_TOKENS_AT_0 * 2**difficulty
        keys = random.sample(KEYS, len(KEYS))
        wanted, others = keys[0], keys[1:]
        num_pairs = min(len(others), round(_PAIRS_SHARE * num_tokens / 2))
        items = [(key, random.choice(VALUES)) for key in (wanted, *others[:num_pairs])]
        filler = [(random.choice(FILLER),) for _ in range(num_tokens - 2 * len(items))]
        mixed: list[Words] = [*items, *filler]
        random.shuffle(mixed)
        return NeedleGoal((wanted,), mixed)

    def max_steps(self, difficulty: int) -> int:
        """Twice what it takes to read the text in pieces of one token."""
        return 8 * _NUM_TOKENS_AT_0 << difficulty
