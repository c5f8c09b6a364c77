"""Maze: walk to a cell of a grid, or out by one of its gates; the difficulty is the grid's side.

All nodes of a tree move one walker. A goal is a cell within a region and, where the way leads on
through a door or a gate, the direction in which to leave that cell. Where the walker stands in the
other half of the region, the goal divides at a door: to the cell before it and through it, and from
there on; else into the same goal within the smaller half. It divides anew where its parts led
astray, as long as the walker is within the region. A node succeeds if the walker stands where it
had to go when it answers. Walls are not walked into: the steps that are offered lead somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from banyan.action import Kind
from training.environments.environment import HIDDEN, Move, Words, rng
from training.environments.errors import WindowTooSmall, check_difficulty
from training.environments.maze_grid import (
    MAX_DOORS,
    MAX_LEAF_SIDE,
    OPPOSITE,
    STEPS,
    Cell,
    Grid,
    Region,
    make,
    neighbour,
)

MIN_SIZE, MAX_SIZE = 2, 40
AWAY, THERE = "away", "there"
AT, TO, THROUGH, DOOR, MAP, OUTSIDE = "at", "to", "through", "door", "map", "outside"
NUMBERS = tuple(str(number) for number in range(MAX_SIZE))
DOORS = tuple(f"door{number}" for number in range(MAX_DOORS))
OPENINGS = tuple(f"open{code}" for code in range(16))
_NUM_HEAD = 9 + 3 * MAX_DOORS + 1
"""Words for where the walker is and has to go, the doors, and `map`."""
_NUM_MAP = MAX_LEAF_SIDE**2
_GATE_SHARE = 0.5
_OTHER_GATE_SHARE = 0.3
"""Of the borders of a grid that is one leaf."""
_MOVES_FOR_A_CELL = 2
"""A goal within a leaf gives up after so many moves for each of its cells."""


class World:
    """The walker that all nodes of a tree move."""

    def __init__(self, grid: Grid, at: Cell) -> None:
        self.grid = grid
        self.at = at


class MazeGoal:
    """To `target`, a cell of `region`, and then on `through` a door or a gate of it, if any."""

    def __init__(
        self, world: World, region: Region, target: Cell, through: str | None = None
    ) -> None:
        self.world = world
        self.region = region
        self.target = target
        self.through = through
        self.num_moves = 0

    @property
    def is_reached(self) -> bool:
        end = neighbour(self.target, self.through) if self.through else self.target
        return self.world.at == end

    def observe(self, num_tokens: int) -> Words:
        """Whether it is reached, cells and doors from the region's corner, and openings.

        Openings are those within the region: all of a leaf, in a frame of one size, else those
        where the walker stands and to the south and east of it.
        """
        if num_tokens < _NUM_HEAD + _NUM_MAP:
            raise WindowTooSmall(f"a maze needs {_NUM_HEAD + _NUM_MAP} tokens, not {num_tokens}")
        words = [THERE if self.is_reached else AWAY, AT, *self._place(self.world.at)]
        words += [TO, *self._place(self.target), THROUGH, self.through or HIDDEN]
        for cell, _ in self._doors():
            words += [DOOR, *self._place(cell)]
        top, left, what = self.region.top, self.region.left, MAP
        if not self.region.is_leaf:
            what = HIDDEN
            top, left = self.world.at
        frame = Region(top, left, top + MAX_LEAF_SIDE, left + MAX_LEAF_SIDE)
        return (*words, what, *map(self._opening, frame.cells()))

    def kinds(self) -> tuple[Kind, ...]:
        """They follow from the view, but for a leaf that is given up, and so does what is best."""
        if not self.region.is_leaf and not self.is_reached and self.world.at in self.region:
            return ("answer", "delegate", "use")
        num_cells = self.region.num_rows * self.region.num_columns
        if self.num_moves >= _MOVES_FOR_A_CELL * num_cells:
            return ("answer",)
        return ("answer", "use")

    def choices(self, kind: Kind, written: Words) -> Words:
        if written or kind == "answer":
            return ()
        if kind == "use":
            open_ = self.world.grid.open_[self.world.at]
            return tuple(direction for direction in STEPS if direction in open_)
        return DOORS[: len(self._doors())]

    def use(self, words: Words) -> None:
        (direction,) = words
        self.num_moves += 1
        if direction in self.world.grid.open_[self.world.at]:
            self.world.at = neighbour(self.world.at, direction)

    def parts(self, words: Words) -> Sequence[MazeGoal]:
        first, second = self.region.halves()
        here, there = (second, first) if self.target in first else (first, second)
        onward = MazeGoal(self.world, there, self.target, self.through)
        if not words:
            return [onward]
        cell, direction = self._doors()[DOORS.index(words[0])]
        if here == second:
            cell, direction = neighbour(cell, direction), OPPOSITE[direction]
        return [MazeGoal(self.world, here, cell, direction), onward]

    def merge(self, answers: Sequence[Words | None]) -> None:
        """Nothing to take: the view shows where the parts have led the walker."""

    def verify(self, answer: Words) -> float:
        return float(answer == () and self.is_reached)

    def solve(self) -> tuple[Move, ...]:
        end = neighbour(self.target, self.through) if self.through else self.target
        way = self.world.grid.way(self.world.at, end)
        return (*(Move("use", (direction,)) for direction in way), Move("answer"))

    def _doors(self) -> list[tuple[Cell, str]]:
        """None where the walker is in the same half as the target, or outside of the region."""
        if self.region.is_leaf:
            return []
        first, second = self.region.halves()
        other = second if self.target in first else first
        return self.world.grid.doors(self.region) if self.world.at in other else []

    def _place(self, cell: Cell) -> Words:
        row, column = cell[0] - self.region.top, cell[1] - self.region.left
        return tuple(NUMBERS[at] if 0 <= at < MAX_SIZE else OUTSIDE for at in (row, column))

    def _opening(self, cell: Cell) -> str:
        """Its openings to cells of the region; whatever leads out of it is `through`."""
        if cell not in self.region:
            return OUTSIDE
        openings = self.world.grid.open_[cell]
        return OPENINGS[
            sum(
                1 << place
                for place, name in enumerate(STEPS)
                if name in openings and neighbour(cell, name) in self.region
            )
        ]


class Maze:
    name = "maze"
    words = (
        *(AWAY, THERE, AT, TO, THROUGH, DOOR, MAP, OUTSIDE, HIDDEN),
        *(*NUMBERS, *DOORS, *OPENINGS, *STEPS),
    )
    num_view_tokens = 24
    shares_state = True

    def generate(self, seed: int, difficulty: int) -> MazeGoal:
        """Half of the tasks end at a cell of the grid, the others outside, behind a gate."""
        check_difficulty(self.name, difficulty, MIN_SIZE, MAX_SIZE)
        random = rng(self.name, seed, difficulty)
        grid = make(random, difficulty)
        cells = grid.region.cells()
        start, target = random.sample(cells, 2) if len(cells) > 1 else cells * 2
        through = None
        if start == target or random.random() < _GATE_SHARE:
            target, through = random.choice(_gates(grid.region))
            grid.connect(target, through)
        if grid.region.is_leaf:
            _open_other_gates(grid, random)
        return MazeGoal(World(grid, start), grid.region, target, through)

    def max_steps(self, difficulty: int) -> int:
        """At least twice what the longest ways take, with every goal divided."""
        return 40 * difficulty


def _gates(region: Region) -> list[tuple[Cell, str]]:
    """Every cell at the border with a direction out."""
    return [
        (cell, direction)
        for cell in region.cells()
        for direction in STEPS
        if neighbour(cell, direction) not in region
    ]


def _open_other_gates(grid: Grid, random: Random) -> None:
    """As the leaves of larger grids have other doors than the one that their part goes through."""
    for cell, direction in _gates(grid.region):
        if random.random() < _OTHER_GATE_SHARE:
            grid.connect(cell, direction)
