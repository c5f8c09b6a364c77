"""Algebra, arithmetic, mazes, puzzles and needles, made and scored by reasoning-gym.

Metric: the share of answers that its scorer gives 1.0. `credit`: the mean of its scores.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from banyan.evaluation import expressions, scorers
from banyan.evaluation.data import PART, Row, rows
from banyan.evaluation.item import Item, text_of
from banyan.evaluation.question import Answered, Question, Score

FORMULAS = frozenset({"polynomial_multiplication", "intermediate_integration"})
_HAYSTACK = "needle_haystack"
_ANSWER_TOKENS = {
    "tower_of_hanoi_3_4": 320,
    "tower_of_hanoi_6_7": 1_024,
    "shortest_path_10": 96,
    "shortest_path_20": 192,
    "polymul_deg3": 96,
    "polymul_4factors": 192,
    "intermediate_integration": 128,
}
_SHORT_TOKENS = 32


class _Row(Row):
    id: str
    task: str
    dataset: str
    config: dict[str, Any]
    question: str
    answer: str
    metadata: dict[str, Any]


def load(data: Path) -> list[Item]:
    """Of a haystack, the statements are the document and its last line is the goal."""
    scorers.library()
    items = []
    for row in rows(data / "reasoning_gym" / PART / "items.jsonl", _Row):
        text, goal = "", row.question
        if row.dataset == _HAYSTACK:
            text, _, goal = row.question.rstrip().rpartition("\n")
        question = Question(
            id=row.id,
            bucket=row.task,
            goal=goal,
            documents=(text,) if text else (),
            answer_tokens=_ANSWER_TOKENS.get(row.task, _SHORT_TOKENS),
        )
        items.append(Item(question, partial(grade, row=row)))
    return items


def grade(answered: Answered, row: _Row) -> Score:
    """What the library says to the answer as it is, but for white space around it."""
    entry = {"question": row.question, "answer": row.answer, "metadata": row.metadata}
    scorer = expressions.score if row.dataset in FORMULAS else scorers.score_answer
    credit = scorer(row.dataset, row.config, text_of(answered).strip(), entry)
    return Score(float(credit == 1.0), {"credit": credit})
