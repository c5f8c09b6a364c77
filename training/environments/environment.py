"""Environment: where a policy learns. Tasks by seed and difficulty, exact verifiers, sub-goals.

A `Goal` is what one node works on, with what has been found about it so far. What the structure of
an environment gives (how a goal divides into parts) stands here, and single agents get it just as
recursive ones do: see `in_sequence.py`. Goals change as they are worked on; a fresh `generate` with
the same seed and difficulty starts the same task anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple, Protocol, runtime_checkable

from banyan.action import Kind

Words = tuple[str, ...]
"""What a policy reads and writes: words of the environment's vocabulary, each one token."""

HIDDEN = "_"
"""Stands where the window is too small for what would be there."""
FAILED = "?"
"""Stands for the answer of a part that has none."""


class Move(NamedTuple):
    """One action: its kind, and the words that follow it."""

    kind: Kind
    words: Words = ()


@runtime_checkable
class Goal(Protocol):
    """One goal. Only `use` and `merge` change what it is about."""

    def observe(self, num_tokens: int) -> Words:
        """What is seen through a window of `num_tokens`, at most that many words.

        Raises WindowTooSmall.
        """

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of action that are possible now; never empty, and in a fixed order."""

    def choices(self, kind: Kind, written: Words) -> Words:
        """The words that may follow what was written after the kind; none where it is complete."""

    def use(self, words: Words) -> None:
        """An action on the world. One that does nothing there is allowed, and costs its step."""

    def parts(self, words: Words) -> Sequence[Goal]:
        """The sub-goals that this goal divides into; `words` chose among several ways to do so."""

    def merge(self, answers: Sequence[Words | None]) -> None:
        """Take the answers of the parts, in their order; None for a part that gave none."""

    def verify(self, answer: Words) -> float:
        """Success in [0, 1] if this node ended now with this answer; exact."""

    def solve(self) -> tuple[Move, ...]:
        """Moves without delegation that end in success from here; for warm-ups and tests."""


class Environment(Protocol):
    """A source of tasks."""

    @property
    def name(self) -> str: ...

    @property
    def words(self) -> Words:
        """The vocabulary of all that goals show and take."""

    @property
    def num_view_tokens(self) -> int:
        """The window that the environment is meant for."""

    @property
    def shares_state(self) -> bool:
        """Whether the parts of a goal act on one world, and so must be worked on in their order."""

    def generate(self, seed: int, difficulty: int) -> Goal:
        """The root goal of a task, the same for the same arguments. Raises BadDifficulty."""

    def max_steps(self, difficulty: int) -> int:
        """The budget of a task: actions of all its nodes together."""


def rng(name: str, seed: int, difficulty: int) -> Random:
    """The source of chance of one task; the same on every machine and for every hash seed."""
    return Random(f"{name}/{seed}/{difficulty}")  # noqa: S311 - tasks, no secrets


def play(goal: Goal, moves: Sequence[Move]) -> float:
    """Success after `moves`; 0 where none of them answers. They are not checked for `choices`."""
    for move in moves:
        if move.kind == "answer":
            return goal.verify(move.words)
        goal.use(move.words)
    return 0.0


def is_allowed(goal: Goal, move: Move) -> bool:
    """Whether the goal offers this move, word by word, and it is complete."""
    if move.kind not in goal.kinds():
        return False
    offered = all(
        word in goal.choices(move.kind, move.words[:place]) for place, word in enumerate(move.words)
    )
    return offered and not goal.choices(move.kind, move.words)
