"""Recall: a question on the last page about a fact of a page before; the difficulty is the facts.

A view shows one page, whether it was noted, and what was found: what was seen on another page is
gone unless it was noted. Notes belong to the tree: `note` keeps the fact on the page, `search`
looks up what the question asks for, each of them once. Without memory nothing is kept, and the
answer is a guess. A goal is a row of pages and divides into its two halves.
"""

from __future__ import annotations

from collections.abc import Sequence

from banyan.action import Kind
from training.environments.environment import HIDDEN, Move, Words, rng
from training.environments.errors import WindowTooSmall, check_difficulty

KEYS = tuple(f"key{number}" for number in range(8))
VALUES = tuple(f"value{number}" for number in range(4))
FACT, ASK, NOTED, FOUND, NOTHING, END = "fact", "ask", "noted", "found", "nothing", "end"
NEXT, NOTE, SEARCH = "next", "note", "search"
MAX_FACTS = len(KEYS)
_NUM_VIEW = 6


class World:
    """`pages[N]` are the words of each page; `at` is the page that is open."""

    def __init__(self, pages: Sequence[Words], answer: str, *, has_memory: bool) -> None:
        self.pages = pages
        self.answer = answer
        self.has_memory = has_memory
        self.at = 0
        self.notes: dict[str, str] = {}
        self.noted: set[int] = set()
        """Pages on which `note` was done; whether anything was kept is another matter."""


class RecallGoal:
    """The pages from where the world stands when it begins, up to `end`."""

    def __init__(self, world: World, end: int) -> None:
        self.world = world
        self.end = end
        self.found: str | None = None
        self.is_begun = False

    @property
    def _page(self) -> Words:
        return self.world.pages[self.world.at] if self.world.at < self.end else (END,)

    @property
    def _has_question(self) -> bool:
        return self.end == len(self.world.pages)

    def observe(self, num_tokens: int) -> Words:
        """The page, whether it was noted, and what was found."""
        if num_tokens < _NUM_VIEW:
            raise WindowTooSmall(f"a page needs {_NUM_VIEW} tokens, not {num_tokens}")
        noted = NOTED if self.world.at in self.world.noted else HIDDEN
        return (*self._page, noted, FOUND, self.found or HIDDEN)

    def kinds(self) -> tuple[Kind, ...]:
        match self._page[0]:
            case "end":
                return ("answer",)
            case "ask":
                return ("answer",) if self.found else ("answer", "use")
        can_divide = not self.is_begun and self.end - self.world.at > 1
        return ("delegate", "use") if can_divide else ("use",)

    def choices(self, kind: Kind, written: Words) -> Words:
        if written:
            return ()
        if kind == "answer":
            return VALUES if self._has_question else ()
        if kind != "use":
            return ()
        if self._page[0] == ASK:
            return (SEARCH,)
        return (NEXT,) if self.world.at in self.world.noted else (NEXT, NOTE)

    def use(self, words: Words) -> None:
        self.is_begun = True
        match words:
            case ("next",):
                self.world.at += 1
            case ("note",):
                _, key, value = self._page
                self.world.noted.add(self.world.at)
                if self.world.has_memory:
                    self.world.notes[key] = value
            case ("search",):
                self.found = self.world.notes.get(self._page[1], NOTHING)

    def parts(self, words: Words) -> Sequence[RecallGoal]:  # noqa: ARG002 - one way to divide
        middle = (self.world.at + self.end) // 2
        return [RecallGoal(self.world, end) for end in (middle, self.end)]

    def merge(self, answers: Sequence[Words | None]) -> None:
        """What the second half answered is what was found."""
        self.is_begun = True
        if self._has_question and answers[-1]:
            self.found = answers[-1][0]

    def verify(self, answer: Words) -> float:
        """The right value; where the question is not among the pages, that all were turned."""
        if self._has_question:
            return float(answer == (self.world.answer,))
        return float(self.world.at == self.end)

    def solve(self) -> tuple[Move, ...]:
        moves: list[Move] = []
        for page in self.world.pages[self.world.at : self.end]:
            if page[0] == FACT:
                if self.world.has_memory and page[1] not in self.world.notes:
                    moves.append(Move("use", (NOTE,)))
                moves.append(Move("use", (NEXT,)))
            elif self.world.has_memory and not self.found:
                moves.append(Move("use", (SEARCH,)))
        return (*moves, Move("answer", (self.world.answer,) if self._has_question else ()))


class Recall:
    """`has_memory`: whether what is noted is kept."""

    words = (*KEYS, *VALUES, FACT, ASK, NOTED, FOUND, NOTHING, END, NEXT, NOTE, SEARCH, HIDDEN)
    num_view_tokens = _NUM_VIEW
    shares_state = True

    def __init__(self, *, has_memory: bool = True) -> None:
        self.has_memory = has_memory
        self.name = "recall" if has_memory else "recall_without_notes"

    def generate(self, seed: int, difficulty: int) -> RecallGoal:
        """At difficulty 0 there is no fact, and what is asked for stands there as found."""
        check_difficulty(self.name, difficulty, 0, MAX_FACTS)
        random = rng("recall", seed, difficulty)
        keys = random.sample(KEYS, max(1, difficulty))
        facts = [(FACT, key, random.choice(VALUES)) for key in keys]
        _, asked, value = random.choice(facts)
        pages: list[Words] = [*facts[:difficulty], (ASK, asked)]
        goal = RecallGoal(World(pages, value, has_memory=self.has_memory), len(pages))
        if not difficulty:
            goal.found = value
        return goal

    def max_steps(self, difficulty: int) -> int:
        """Twice what it takes to note and turn every page, with every goal divided."""
        return 12 * (difficulty + 1)
