"""Counting over thousands of lines, in the form of Oolong (github.com/abertsch72/oolong).

Metric: Oolong's own. The answer is what stands behind the last colon, without `*`, `[` and `]`;
exact match for labels, users and comparisons, 0.75 to the power of the error for numbers.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from banyan.evaluation.data import PART, Row, rows
from banyan.evaluation.item import Item, text_of
from banyan.evaluation.question import Answered, Question, Score

ANSWER_TOKENS = 48
LENGTHS = (2_000, 8_000, 32_000, 100_000)
_COMPARISONS = ("more common", "less common", "same frequency")
_SHORT_CHARS = 20

AnswerType = Literal["NUMERIC", "LABEL", "USER", "COMPARISON"]


class _Context(Row):
    context_id: str
    tokens_cl100k: int
    text: str


class _Row(Row):
    id: str
    context_id: str
    dataset: str
    task: str
    answer_type: AnswerType
    question: str
    answer: int | str


def load(data: Path) -> list[Item]:
    folder = data / "oolong_style" / PART
    contexts = {one.context_id: one for one in rows(folder / "contexts.jsonl", _Context)}
    items = []
    for row in rows(folder / "items.jsonl", _Row):
        context = contexts[row.context_id]
        question = Question(
            id=row.id,
            bucket=length_name(context.tokens_cl100k),
            goal=row.question,
            documents=(context.text,),
            answer_tokens=ANSWER_TOKENS,
        )
        grading = partial(grade, gold=str(row.answer), answer_type=row.answer_type)
        items.append(Item(question, grading, stratum=row.task))
    return items


def length_name(num_tokens: int) -> str:
    """The length that a context was made for: the nearest one. `2k`, `8k`, `32k`, `100k`."""
    nearest = min(LENGTHS, key=lambda length: abs(length - num_tokens))
    return f"{nearest // 1_000}k"


def grade(answered: Answered, gold: str, answer_type: AnswerType) -> Score:
    """`exact` is 1 for the very answer; of a number, the value also honours a near one."""
    answer = parse(text_of(answered))
    exact = float(answer == gold or (answer in _COMPARISONS and answer in gold))
    if exact or answer_type != "NUMERIC":
        return Score(exact, {"exact": exact})
    try:
        error = abs(int(answer) - int(gold))
    except ValueError:
        return Score(0.0, {"exact": 0.0})
    return Score(0.75**error, {"exact": 0.0})


def parse(output: str) -> str:
    """The answer in a model's words, as Oolong's scorer finds it."""
    output = output.strip()
    if ":" not in output:
        if len(output) < _SHORT_CHARS:
            return output
        return output.split()[-1]
    answer = output.split(":")[-1]
    for mark in "*[]":
        answer = answer.replace(mark, "")
    answer = answer.strip()
    if len(answer) >= _SHORT_CHARS:
        for comparison in _COMPARISONS:
            if comparison in answer:
                return comparison
    return answer
