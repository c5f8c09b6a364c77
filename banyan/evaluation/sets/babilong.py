"""Facts in a haystack of book text, made with BABILong's recipe (github.com/booydar/babilong).

Metric: right where the expected answer stands in the first sentence of the output, both in lower
case. `set`: kinder to lists, whose order does not matter.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from banyan.evaluation.data import PART, Row, rows
from banyan.evaluation.item import Item, text_of
from banyan.evaluation.question import Answered, Question, Score

ANSWER_TOKENS = 32
GOAL = (
    "Facts about persons, places and objects are hidden in the text of a book. Answer the question "
    "by these facts alone; where they change, the latest ones hold. Question: {question} "
    "Answer briefly, with nothing but the {what}."
)
_WHAT = {
    "qa5": "name of the person or object",
    "qa7": "number as a word, or the word none",
    "qa8": "objects, separated by commas without spaces, or the word nothing",
}
_WORD = re.compile(r"[a-z]+")


class _Row(Row):
    id: str
    task: str
    length: int
    context: str
    question: str
    answer: str


def load(data: Path) -> list[Item]:
    items = []
    for row in rows(data / "babilong" / PART / "items.jsonl", _Row):
        what = _WHAT.get(row.task, "name of the place")
        question = Question(
            id=row.id,
            bucket=f"{row.length // 1_000}k",
            goal=GOAL.format(question=row.question, what=what),
            documents=(row.context,),
            answer_tokens=ANSWER_TOKENS,
        )
        items.append(Item(question, partial(grade, gold=row.answer), stratum=row.task))
    return items


def grade(answered: Answered, gold: str) -> Score:
    """The official measure, and `set`."""
    first = text_of(answered).lower().split(".")[0]
    wanted = gold.lower()
    named = set(_WORD.findall(first))
    parts = [part.strip() for part in wanted.split(",")]
    return Score(float(wanted in first), {"set": float(all(part in named for part in parts))})
