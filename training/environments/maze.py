"""Maze: walk to a cell of a grid; the difficulty is the side of the grid.

All nodes of a tree move one walker. A goal is a cell within a region. Where it lies in the other
half of the region, the goal divides at a door: to the cell behind that door, and from there on;
else into the same goal within the smaller half. A node succeeds if the walker stands on its cell
when it answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from banyan.action import Kind
from training.environments.environment import HIDDEN, Move, Words, rng
from training.environments.errors import WindowTooSmall, check_difficulty
from training.environments.maze_grid import (
    MAX_DOORS,
    STEPS,
    Cell,
    Grid,
    Region,
    make,
    neighbour,
)

MIN_SIZE, MAX_SIZE = 2, 40
AT, TO, DOOR, MAP, OUTSIDE = "at", "to", "door", "map", "outside"
NUMBERS = tuple(str(number) for number in range(MAX_SIZE))
DOORS = tuple(f"door{number}" for number in range(MAX_DOORS))
OPENINGS = tuple(f"open{code}" for code in range(16))
_NUM_HEAD = 6 + 3 * MAX_DOORS + 1
"""Words for the two cells, the doors, and `map`."""


class World:
    """The walker that all nodes of a tree move."""

    def __init__(self, grid: Grid, at: Cell) -> None:
        self.grid = grid
        self.at = at


class MazeGoal:
    def __init__(self, world: World, region: Region, target: Cell) -> None:
        self.world = world
        self.region = region
        self.target = target
        self.is_merged = False

    def observe(self, num_tokens: int) -> Words:
        """Walker, target and doors, from the region's corner; then openings, of all or near by."""
        room = num_tokens - _NUM_HEAD
        if room < 1:
            raise WindowTooSmall(f"a maze needs {_NUM_HEAD + 1} tokens, not {num_tokens}")
        words = [AT, *self._place(self.world.at), TO, *self._place(self.target)]
        for door, _ in self._doors():
            words += [DOOR, *self._place(door)]
        if self.region.num_rows * self.region.num_columns <= room:
            return (*words, MAP, *map(self._opening, self.region.cells()))
        reach = 0
        while (2 * reach + 3) ** 2 < room:
            reach += 1
        row, column = self.world.at
        near = Region(row - reach, column - reach, row + reach + 1, column + reach + 1)
        return (*words, HIDDEN, *map(self._opening, near.cells()))

    def kinds(self) -> tuple[Kind, ...]:
        if self.region.is_leaf or self.is_merged:
            return ("answer", "use")
        return ("answer", "delegate", "use")

    def choices(self, kind: Kind, written: Words) -> Words:
        if written or kind == "answer":
            return ()
        if kind == "use":
            return tuple(STEPS)
        return DOORS[: len(self._doors())]

    def use(self, words: Words) -> None:
        (direction,) = words
        if direction in self.world.grid.open_[self.world.at]:
            self.world.at = neighbour(self.world.at, direction)

    def parts(self, words: Words) -> Sequence[MazeGoal]:
        first, second = self.region.halves()
        if not words:
            half = first if self.target in first else second
            return [MazeGoal(self.world, half, self.target)]
        before, behind = self._doors()[DOORS.index(words[0])]
        if self.target in first:
            before, behind = behind, before
        here, there = (second, first) if self.target in first else (first, second)
        return [
            MazeGoal(self.world, _reaching(here, behind), behind),
            MazeGoal(self.world, there, self.target),
        ]

    def merge(self, answers: Sequence[Words | None]) -> None:  # noqa: ARG002 - the world knows
        self.is_merged = True

    def verify(self, answer: Words) -> float:
        return float(answer == () and self.world.at == self.target)

    def solve(self) -> tuple[Move, ...]:
        way = self.world.grid.way(self.world.at, self.target)
        return (*(Move("use", (direction,)) for direction in way), Move("answer"))

    def _doors(self) -> list[tuple[Cell, Cell]]:
        """None where the walker and the target are in the same half.

        At most `MAX_DOORS`: a region that was made to reach a door has halves of its own, with
        openings where no door was meant to be, and all of them may be more than a view holds.
        """
        if self.region.is_leaf or self.is_merged:
            return []
        first, second = self.region.halves()
        if self.target in first and self.world.at in second:
            return self.world.grid.doors(self.region)[:MAX_DOORS]
        if self.target in second and self.world.at in first:
            return self.world.grid.doors(self.region)[:MAX_DOORS]
        return []

    def _place(self, cell: Cell) -> Words:
        row, column = cell[0] - self.region.top, cell[1] - self.region.left
        return tuple(NUMBERS[at] if 0 <= at < MAX_SIZE else OUTSIDE for at in (row, column))

    def _opening(self, cell: Cell) -> str:
        openings = self.world.grid.open_.get(cell)
        if openings is None:
            return OUTSIDE
        return OPENINGS[sum(1 << place for place, name in enumerate(STEPS) if name in openings)]


class Maze:
    name = "maze"
    words = (AT, TO, DOOR, MAP, OUTSIDE, HIDDEN, *NUMBERS, *DOORS, *OPENINGS, *STEPS)
    num_view_tokens = 48
    shares_state = True

    def generate(self, seed: int, difficulty: int) -> MazeGoal:
        check_difficulty(self.name, difficulty, MIN_SIZE, MAX_SIZE)
        random = rng(self.name, seed, difficulty)
        grid = make(random, difficulty)
        start, target = random.sample(grid.region.cells(), 2)
        return MazeGoal(World(grid, start), grid.region, target)

    def max_steps(self, difficulty: int) -> int:
        """Four for each cell."""
        return 4 * difficulty**2


def _reaching(region: Region, cell: Cell) -> Region:
    """The region, and the row or column of `cell`, which lies next to it."""
    return Region(
        min(region.top, cell[0]),
        min(region.left, cell[1]),
        max(region.bottom, cell[0] + 1),
        max(region.right, cell[1] + 1),
    )
