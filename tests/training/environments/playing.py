"""Perfect players for tests: one that delegates wherever it can, and one that reads in sequence."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from training.environments.catalogue import ENVIRONMENTS
from training.environments.environment import Environment, Goal, Move, Words, is_allowed
from training.environments.in_sequence import InSequence
from training.environments.long_sequence import LongSequence

SOURCES: dict[str, Environment] = {
    **ENVIRONMENTS,
    # of the same shape, and small
    "long_sequence": LongSequence(num_tokens_at_1=30, num_view_tokens=40, mark_share=0.1),
}

DIFFICULTIES: dict[str, tuple[int, ...]] = {
    "aggregate": (0, 1, 3, 5),
    "algebra": (1, 2, 4, 8),
    "chain": (1, 2, 5, 16),
    "dialog": (1, 2, 5, 10, 24),
    "long_sequence": (1, 2, 4),
    "maze": (2, 5, 6, 11, 20),
    "needle": (0, 1, 4, 7),
    "recall": (0, 1, 2, 8),
    "tally": (0, 1, 2, 4),
    "textcraft": (0, 2, 4),
}
LOW: dict[str, tuple[int, ...]] = {name: values[:3] for name, values in DIFFICULTIES.items()}


@dataclass
class Played:
    success: float
    num_steps: int
    depth: int
    views: list[Words]


def delegating(goal: Goal, window: int, random: Random) -> Played:
    """Delegates wherever it can, and solves what is left; checks every move that it makes."""
    played, _ = _delegating(goal, window, random)
    return played


def _delegating(goal: Goal, window: int, random: Random) -> tuple[Played, Words]:
    played = Played(0.0, 0, 0, [])
    while "delegate" in goal.kinds():
        played.views.append(goal.observe(window))
        words = written(goal, "delegate", random)
        answers: list[Words | None] = []
        for part in goal.parts(words):
            below, answer = _delegating(part, window, random)
            assert below.success == 1.0
            answers.append(answer)
            played.num_steps += below.num_steps
            played.depth = max(played.depth, below.depth + 1)
            played.views += below.views
        goal.merge(answers)
        played.num_steps += 1
    for move in goal.solve():
        played.views.append(goal.observe(window))
        assert is_allowed(goal, move), move
        played.num_steps += 1
        if move.kind == "answer":
            played.success = goal.verify(move.words)
            return played, move.words
        goal.use(move.words)
    raise AssertionError("the solution does not answer")


def reading(root: Goal, window: int, random: Random) -> Played:
    """The same in one node."""
    goal = InSequence(root)
    played = Played(0.0, 0, 0, [])
    while True:
        played.views.append(goal.observe(window))
        move = (
            Move("read", written(goal, "read", random))
            if "read" in goal.kinds()
            else goal.solve()[0]
        )
        assert is_allowed(goal, move), move
        played.num_steps += 1
        match move.kind:
            case "answer":
                played.success = goal.verify(move.words)
                return played
            case "read":
                goal.read(move.words)
            case "note":
                goal.note(move.words)
            case _:
                goal.use(move.words)


def written(goal: Goal, kind: str, random: Random) -> Words:
    """Any complete words after a kind."""
    words: Words = ()
    while choices := goal.choices(kind, words):  # type: ignore[arg-type]
        words = (*words, random.choice(choices))
    return words


def is_in_vocabulary(environment: Environment, words: Words) -> bool:
    return set(words) <= set(environment.words)
