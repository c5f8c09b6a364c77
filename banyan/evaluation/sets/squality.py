"""SQuALITY: question-focused summaries of long stories, each with four human references.

Metric: ROUGE F1, for each measure the largest over the references (arXiv 2205.11465).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from banyan.evaluation.data import PART, Row, rows
from banyan.evaluation.item import Item, text_of
from banyan.evaluation.metrics import rouge
from banyan.evaluation.question import Answered, Question, Score

ANSWER_TOKENS = 400
"""The references have 237 words on average."""


class _Story(Row):
    doc_id: str
    text: str


class _Row(Row):
    id: str
    doc_id: str
    query: str
    references: tuple[str, ...]


def load(data: Path) -> list[Item]:
    """The first query about each story is its plot."""
    folder = data / "squality" / PART
    stories = {story.doc_id: story.text for story in rows(folder / "docs.jsonl", _Story)}
    items = []
    for row in rows(folder / "items.jsonl", _Row):
        question = Question(
            id=row.id,
            bucket="plot" if row.id.endswith("-q1") else "detail",
            goal=row.query,
            documents=(stories[row.doc_id],),
            answer_tokens=ANSWER_TOKENS,
        )
        items.append(Item(question, partial(grade, references=row.references)))
    return items


def grade(answered: Answered, references: tuple[str, ...]) -> Score:
    """ROUGE as above."""
    return rouge(text_of(answered), references)
