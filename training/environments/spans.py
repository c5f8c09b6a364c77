"""Spans: goals over a row of items, of which the window shows a part.

A span divides into its two halves; the answers of the halves then stand in place of the items. The
question is the same for a part as for the whole (`part_question` may differ), so that one skill
reads and another one puts two answers together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from banyan.action import Kind
from training.environments.environment import FAILED, HIDDEN, Move, Words
from training.environments.errors import WindowTooSmall

BETWEEN = "|"


class SpanGoal(ABC):
    """`items[N]` of one or more words each; `question` stands before them."""

    def __init__(self, question: Words, items: Sequence[Words]) -> None:
        self.question = question
        self.items = items
        self.found: Words | None = None
        """The answers of the halves."""

    @abstractmethod
    def truth(self) -> Words:
        """The right answer, from the items."""

    @abstractmethod
    def choices(self, kind: Kind, written: Words) -> Words: ...

    @abstractmethod
    def half(self, items: Sequence[Words]) -> Self:
        """The goal that is asked of one half."""

    @property
    def num_tokens(self) -> int:
        """Of all items."""
        return sum(len(item) for item in self.items)

    def room(self, num_tokens: int) -> int:
        """Tokens of items that a window of `num_tokens` shows."""
        return num_tokens - len(self.question) - 1

    def observe(self, num_tokens: int) -> Words:
        room = self.room(num_tokens)
        words: list[str] = []
        if self.found is not None:
            words = list(self.found)
        for item in self.items if self.found is None else ():
            if len(words) + len(item) > room:
                words.append(HIDDEN)
                break
            words += item
        if len(words) > room + 1:
            raise WindowTooSmall(f"the answers of the parts need more than {num_tokens} tokens")
        return (*self.question, *words)

    def kinds(self) -> tuple[Kind, ...]:
        if self.found is None and len(self.items) > 1:
            return ("answer", "delegate")
        return ("answer",)

    def use(self, words: Words) -> None:
        raise NotImplementedError("a text has no actions")

    def parts(self, words: Words) -> Sequence[Self]:  # noqa: ARG002 - one way to divide
        middle = len(self.items) // 2
        return [self.half(self.items[:middle]), self.half(self.items[middle:])]

    def merge(self, answers: Sequence[Words | None]) -> None:
        first, second = [(FAILED,) if answer is None else answer for answer in answers]
        self.found = (*first, BETWEEN, *second)

    def verify(self, answer: Words) -> float:
        return float(answer == self.truth())

    def solve(self) -> tuple[Move, ...]:
        return (Move("answer", self.truth()),)
