"""QMSum: query-based summaries of meetings, with the turns that people marked as evidence.

Metric: ROUGE F1, headline the geometric mean. `evidence`: the share of the marked turns that the
answer's citations touch (arXiv 2104.05938 has the spans; the measure is ours).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Literal

from banyan.evaluation.data import PART, Row, rows
from banyan.evaluation.item import Item, text_of
from banyan.evaluation.metrics import rouge
from banyan.evaluation.question import Answered, Cited, Question, Score

ANSWER_TOKENS = 200
"""The references have about 70 words."""

_TURN = re.compile(r"^\[(\d+)\] ", re.MULTILINE)


class _Meeting(Row):
    doc_id: str
    text: str


class _Row(Row):
    id: str
    doc_id: str
    type: Literal["general", "specific"]
    query: str
    references: tuple[str, ...]
    relevant_turn_spans: tuple[tuple[int, int], ...] = ()
    """First and last turn of each, both included."""


def load(data: Path) -> list[Item]:
    folder = data / "qmsum" / PART
    meetings = {meeting.doc_id: meeting.text for meeting in rows(folder / "docs.jsonl", _Meeting)}
    items = []
    for row in rows(folder / "items.jsonl", _Row):
        text = meetings[row.doc_id]
        question = Question(
            id=row.id,
            bucket=row.type,
            goal=row.query,
            documents=(text,),
            answer_tokens=ANSWER_TOKENS,
        )
        marked = frozenset(
            turn for first, last in row.relevant_turn_spans for turn in range(first, last + 1)
        )
        items.append(
            Item(question, partial(grade, references=row.references, marked=marked, text=text))
        )
    return items


def grade(
    answered: Answered, references: tuple[str, ...], marked: frozenset[int], text: str
) -> Score:
    """ROUGE, and `evidence` where turns are marked."""
    score = rouge(text_of(answered), references)
    if not marked:
        return score
    found = cited_turns(text, answered.citations)
    return Score(score.value, {**score.parts, "evidence": len(found & marked) / len(marked)})


def cited_turns(text: str, citations: Iterable[Cited]) -> frozenset[int]:
    """The numbers of all turns that a citation of the first document touches."""
    starts, numbers = [], []
    for found in _TURN.finditer(text):
        starts.append(found.start())
        numbers.append(int(found[1]))
    turns: set[int] = set()
    for one in citations:
        if one.document != 0 or one.end <= one.start:
            continue
        first = max(0, bisect_right(starts, one.start) - 1)
        turns.update(numbers[first : bisect_right(starts, one.end - 1)])
    return frozenset(turns)
