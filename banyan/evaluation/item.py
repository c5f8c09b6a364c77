"""Items: a question together with how its answer is scored, and the answer as the scorers read it.

What is known about the right answer lives in `grade` alone, so that no system can see it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from banyan.evaluation.question import Answered, Question, Score

Grade = Callable[[Answered], Score]
Load = Callable[[Path], list["Item"]]
"""Reads a set from the folder that holds all sets. Raises Missing."""


@dataclass(frozen=True, slots=True)
class Item:
    """`stratum` is what a small sample of a bucket is spread over: task, type or data set."""

    question: Question
    grade: Grade
    stratum: str = ""


def text_of(answered: Answered) -> str:
    """The answer as text; "" where there is none."""
    answer = answered.answer
    if answer is None:
        return ""
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def object_of(answered: Answered) -> dict[str, Any]:
    """The answer as an object, also where it is one written as text; {} where it is none."""
    answer: Any = answered.answer
    if isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except ValueError:
            return {}
    return answer if isinstance(answer, dict) else {}
