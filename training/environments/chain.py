"""Chain: operations on one running value, each on the result of the one before; modulo 10.

The difficulty is the number of operations. All nodes of a tree share the value. One agent works
through a chain operation by operation, in as many steps; it divides into halves too, of which the
second has to wait for the first. There is nothing to gain by that: it is what recursion is not for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from banyan.action import Kind
from training.environments.algebra import DIGITS, OPERATORS, Operation, value
from training.environments.environment import HIDDEN, Move, Words, rng
from training.environments.errors import WindowTooSmall, check_difficulty

MAX_OPERATIONS = 64
_NUM_SHORTEST = 4
"""Words of the value, one operation, and what hides the others."""


class Link(NamedTuple):
    operator: str
    digit: str


class World:
    """The running value, and how many operations are done."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.num_done = 0


class ChainGoal:
    """The operations from where the world stands when it begins, up to `end`."""

    def __init__(self, world: World, links: Sequence[Link], end: int) -> None:
        self.world = world
        self.links = links
        self.end = end
        self.is_merged = False
        self._wanted: str | None = None

    def observe(self, num_tokens: int) -> Words:
        if num_tokens < _NUM_SHORTEST:
            raise WindowTooSmall(f"a chain needs {_NUM_SHORTEST} tokens, not {num_tokens}")
        self._begin()
        links = self._remaining()
        if 1 + 2 * len(links) > num_tokens:
            shown = links[: (num_tokens - 2) // 2]
            return (self.world.number, *[word for link in shown for word in link], HIDDEN)
        return (self.world.number, *[word for link in links for word in link])

    def kinds(self) -> tuple[Kind, ...]:
        num_remaining = len(self._remaining())
        if not num_remaining:
            return ("answer",)
        return ("use",) if num_remaining == 1 or self.is_merged else ("delegate", "use")

    def choices(self, kind: Kind, written: Words) -> Words:
        return DIGITS if kind == "use" and not written else ()

    def use(self, words: Words) -> None:
        """Say what the next operation results in; it is taken as it is."""
        self._begin()
        (self.world.number,) = words
        self.world.num_done += 1

    def parts(self, words: Words) -> Sequence[ChainGoal]:  # noqa: ARG002 - one way to divide
        self._begin()
        middle = (self.world.num_done + self.end) // 2
        return [ChainGoal(self.world, self.links, end) for end in (middle, self.end)]

    def merge(self, answers: Sequence[Words | None]) -> None:  # noqa: ARG002 - the world has them
        self.is_merged = True

    def verify(self, answer: Words) -> float:  # noqa: ARG002 - the world has it
        """Whether all of its operations are done, and right from what it found at its beginning."""
        self._begin()
        return float(not self._remaining() and self.world.number == self._wanted)

    def solve(self) -> tuple[Move, ...]:
        moves, number = [], self.world.number
        for link in self._remaining():
            number = _result(number, link)
            moves.append(Move("use", (number,)))
        return (*moves, Move("answer"))

    def _begin(self) -> None:
        """The first time, note what would be right; a part begins where the one before ended."""
        if self._wanted is None:
            self._wanted = self.world.number
            for link in self._remaining():
                self._wanted = _result(self._wanted, link)

    def _remaining(self) -> Sequence[Link]:
        return self.links[self.world.num_done : self.end]


class Chain:
    name = "chain"
    words = (*OPERATORS, *DIGITS, HIDDEN)
    num_view_tokens = _NUM_SHORTEST
    shares_state = True

    def generate(self, seed: int, difficulty: int) -> ChainGoal:
        check_difficulty(self.name, difficulty, 1, MAX_OPERATIONS)
        random = rng(self.name, seed, difficulty)
        links = [Link(random.choice(OPERATORS), random.choice(DIGITS)) for _ in range(difficulty)]
        return ChainGoal(World(random.choice(DIGITS)), links, difficulty)

    def max_steps(self, difficulty: int) -> int:
        """Twice what it takes to divide everything: two an operation, and two a halving."""
        return 8 * difficulty


def _result(number: str, link: Link) -> str:
    return str(value(Operation(number, link.operator, link.digit)))
