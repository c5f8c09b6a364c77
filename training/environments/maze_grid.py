"""Maze grid: regions that are divided in halves by walls with doors, and the ways through them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random

Cell = tuple[int, int]
"""Row and column, from 0 at the top left."""

STEPS: dict[str, Cell] = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}
OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}
MAX_LEAF_SIDE = 2
"""A region whose sides are not longer is not divided further."""
MAX_DOORS = 2


@dataclass(frozen=True, slots=True)
class Region:
    """Cells from `top`, `left` to before `bottom`, `right`."""

    top: int
    left: int
    bottom: int
    right: int

    def __contains__(self, cell: Cell) -> bool:
        return self.top <= cell[0] < self.bottom and self.left <= cell[1] < self.right

    @property
    def num_rows(self) -> int:
        return self.bottom - self.top

    @property
    def num_columns(self) -> int:
        return self.right - self.left

    @property
    def is_leaf(self) -> bool:
        return max(self.num_rows, self.num_columns) <= MAX_LEAF_SIDE

    def cells(self) -> list[Cell]:
        return [
            (row, column)
            for row in range(self.top, self.bottom)
            for column in range(self.left, self.right)
        ]

    def halves(self) -> tuple[Region, Region]:
        """Across the longer side, in the middle."""
        if self.num_rows >= self.num_columns:
            middle = self.top + self.num_rows // 2
            return (
                Region(self.top, self.left, middle, self.right),
                Region(middle, self.left, self.bottom, self.right),
            )
        middle = self.left + self.num_columns // 2
        return (
            Region(self.top, self.left, self.bottom, middle),
            Region(self.top, middle, self.bottom, self.right),
        )


class Grid:
    """`open_[cell]` are the directions in which a cell is open; a gate leads out of the grid."""

    def __init__(self, num_rows: int, num_columns: int) -> None:
        self.region = Region(0, 0, num_rows, num_columns)
        self.open_: dict[Cell, set[str]] = {cell: set() for cell in self.region.cells()}

    def connect(self, cell: Cell, direction: str) -> None:
        self.open_[cell].add(direction)
        self.open_.setdefault(neighbour(cell, direction), set()).add(OPPOSITE[direction])

    def doors(self, region: Region) -> list[tuple[Cell, str]]:
        """Cells of a region's first half that are open to the second one, and the direction."""
        first, second = region.halves()
        direction = "south" if region.num_rows >= region.num_columns else "east"
        return [
            (cell, direction)
            for cell in first.cells()
            if neighbour(cell, direction) in second and direction in self.open_[cell]
        ]

    def way(self, start: Cell, end: Cell) -> tuple[str, ...]:
        """A shortest way, as directions. Raises KeyError where there is none."""
        came_from: dict[Cell, tuple[Cell, str] | None] = {start: None}
        queue = deque([start])
        while end not in came_from and queue:
            cell = queue.popleft()
            for direction in sorted(self.open_[cell]):
                following = neighbour(cell, direction)
                if following not in came_from:
                    came_from[following] = (cell, direction)
                    queue.append(following)
        directions: list[str] = []
        step = came_from[end]
        while step is not None:
            cell, direction = step
            directions.append(direction)
            step = came_from[cell]
        return tuple(reversed(directions))


def neighbour(cell: Cell, direction: str) -> Cell:
    row, column = STEPS[direction]
    return cell[0] + row, cell[1] + column


def make(random: Random, size: int) -> Grid:
    """Every cell of every region can be reached without leaving the region.

    A grid that is one leaf has any of the shapes that the leaves of larger grids have.
    """
    sides = [size, size]
    if size <= MAX_LEAF_SIDE:
        sides = [random.randint(1, size) for _ in sides]
    grid = Grid(*sides)
    _open(grid, random, grid.region)
    return grid


def _open(grid: Grid, random: Random, region: Region) -> None:
    if region.is_leaf:
        _open_leaf(grid, random, region)
        return
    first, second = region.halves()
    _open(grid, random, first)
    _open(grid, random, second)
    direction = "south" if region.num_rows >= region.num_columns else "east"
    along = [cell for cell in first.cells() if neighbour(cell, direction) in second]
    for cell in random.sample(along, min(len(along), random.randint(1, MAX_DOORS))):
        grid.connect(cell, direction)


def _open_leaf(grid: Grid, random: Random, region: Region) -> None:
    """A random depth-first tree, and one more opening here and there."""
    start = random.choice(region.cells())
    seen, stack = {start}, [start]
    while stack:
        ways = [
            (direction, neighbour(stack[-1], direction))
            for direction in STEPS
            if neighbour(stack[-1], direction) in region
            and neighbour(stack[-1], direction) not in seen
        ]
        if not ways:
            stack.pop()
            continue
        direction, following = random.choice(ways)
        grid.connect(stack[-1], direction)
        seen.add(following)
        stack.append(following)
    for cell in region.cells():
        if random.random() < 0.1 and neighbour(cell, "east") in region:
            grid.connect(cell, "east")
