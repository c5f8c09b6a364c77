"""Mazes with one path from start to end.

Metric: the path starts at the start, ends at the end, and every step is an open edge; cells may be
visited again. `optimal`: the shortest length over the length of a path that succeeds, else 0.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from banyan.evaluation.data import PART, Row, rows
from banyan.evaluation.item import Item, object_of
from banyan.evaluation.question import Answered, Question, Score

Cell = tuple[int, int]

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {
            "type": "array",
            "items": {
                "type": "array",
                "items": {"type": "integer"},
                "minItems": 2,
                "maxItems": 2,
            },
        }
    },
    "required": ["path"],
    "additionalProperties": False,
}
_GOAL = (
    "The document draws a maze of {grid} x {grid} cells; # is wall. The cell [row, column], both "
    "counted from 0, is the character in line 2*row+1, place 2*column+1, also counted from 0; "
    "between two neighbours that are open to each other there is a space. Give the path from "
    "{start} to {end}: the list of its cells, both ends included, each one an open neighbour of "
    "the one before."
)
_TOKENS_PER_CELL = 7
_MAX_ANSWER_TOKENS = 1_024


class _Row(Row):
    id: str
    grid: int
    start: Cell
    end: Cell
    ascii: str
    edges: tuple[tuple[Cell, Cell], ...]
    solution_len: int


def load(data: Path) -> list[Item]:
    items = []
    for row in rows(data / "maze" / PART / "items.jsonl", _Row):
        goal = _GOAL.format(grid=row.grid, start=list(row.start), end=list(row.end))
        question = Question(
            id=row.id,
            bucket=f"{row.grid}x{row.grid}",
            goal=goal,
            documents=(row.ascii,),
            answer_schema=_SCHEMA,
            answer_tokens=min(_MAX_ANSWER_TOKENS, _TOKENS_PER_CELL * row.grid**2 // 2),
        )
        edges = frozenset(frozenset(edge) for edge in row.edges)
        grading = partial(
            grade, start=row.start, end=row.end, edges=edges, shortest=row.solution_len
        )
        items.append(Item(question, grading))
    return items


def grade(
    answered: Answered, start: Cell, end: Cell, edges: frozenset[frozenset[Cell]], shortest: int
) -> Score:
    """`shortest` counts steps, as the path's length does."""
    path = _path(object_of(answered).get("path"))
    steps = list(pairwise(path))
    success = (
        bool(path)
        and path[0] == start
        and path[-1] == end
        and all(frozenset(step) in edges for step in steps)
    )
    optimal = shortest / len(steps) if success and steps else float(success)
    return Score(float(success), {"optimal": optimal})


def _path(value: object) -> list[Cell]:
    """The cells; none where one of them is no pair of numbers."""
    if not isinstance(value, list):
        return []
    cells: list[Cell] = []
    for one in value:
        match one:
            case [int(row), int(column)]:
                cells.append((row, column))
            case _:
                return []
    return cells
