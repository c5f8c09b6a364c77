"""In sequence: one agent works through a task alone, with the structure that recursive ones get.

Where a recursive agent delegates, this one reads: it opens the parts of the goal one after another,
through the same view, and notes what it found in each; the notes are merged as the answers of
children are. It takes as many actions as a tree that delegates everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from banyan.action import Kind
from training.environments.environment import Goal, Move, Words


@dataclass(slots=True)
class _Opened:
    """A goal that is being read: its parts, and the notes on those that are done."""

    goal: Goal
    parts: Sequence[Goal]
    notes: list[Words] = field(default_factory=list)


class InSequence:
    """The whole task as the goal of one node; `read` and `note` instead of `delegate`."""

    def __init__(self, goal: Goal) -> None:
        self.root = goal
        self._current = goal
        self._opened: list[_Opened] = []

    def observe(self, num_tokens: int) -> Words:
        return self._current.observe(num_tokens)

    def kinds(self) -> tuple[Kind, ...]:
        instead: dict[Kind, Kind] = {"delegate": "read"}
        if self._opened:
            instead["answer"] = "note"
        return tuple(instead.get(kind, kind) for kind in self._current.kinds())

    def choices(self, kind: Kind, written: Words) -> Words:
        instead: dict[Kind, Kind] = {"read": "delegate", "note": "answer"}
        return self._current.choices(instead.get(kind, kind), written)

    def use(self, words: Words) -> None:
        self._current.use(words)

    def read(self, words: Words) -> None:
        """Open the goal's parts, the first one first."""
        parts = self._current.parts(words)
        self._opened.append(_Opened(self._current, parts))
        self._current = parts[0]

    def note(self, words: Words) -> None:
        """Keep what was found on this part, and go on to the next; after the last one, back."""
        opened = self._opened[-1]
        opened.notes.append(words)
        if len(opened.notes) < len(opened.parts):
            self._current = opened.parts[len(opened.notes)]
            return
        self._opened.pop()
        opened.goal.merge(opened.notes)
        self._current = opened.goal

    def parts(self, words: Words) -> Sequence[Goal]:
        raise NotImplementedError("a single agent has no children")

    def merge(self, answers: Sequence[Words | None]) -> None:
        raise NotImplementedError("a single agent has no children")

    def verify(self, answer: Words) -> float:
        return self.root.verify(answer)

    def solve(self) -> tuple[Move, ...]:
        """Of the part that is open: its moves, with a note where that is no answer."""
        moves = self._current.solve()
        if not self._opened:
            return moves
        return (*moves[:-1], Move("note", moves[-1].words))
