"""Answers, items, records and files for the tests of the evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from banyan.evaluation.item import Item, text_of
from banyan.evaluation.question import Answered, Question, Score
from banyan.evaluation.records import Record


def answered(answer: JsonValue, **fields: Any) -> Answered:
    return Answered(**{"status": "completed", "answer": answer, **fields})


def item(
    name: str, *, bucket: str = "one", stratum: str = "", document: str = "", gold: str = "yes"
) -> Item:
    """Right is the answer `gold`."""
    question = Question(id=name, bucket=bucket, goal=f"Is {name} so?", documents=(document,))
    return Item(question, lambda one: Score(float(text_of(one) == gold)), stratum)


def record(name: str, system: str, score: float, **fields: Any) -> Record:
    usual = {
        "set": "examples",
        "bucket": "one",
        "fingerprint": f"{name}-mark",
        "settings": {},
        "input_tokens": 100,
        "parts": {},
        "answered": answered("yes"),
        "at": 1.0,
    }
    return Record.model_validate(
        {**usual, "item": name, "system": system, "score": score, **fields}
    )


def write_lines(path: Path, *lines: dict[str, Any]) -> None:
    """A JSONL file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
