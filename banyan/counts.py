"""Counts: how many records got which label. Pure.

An agent that divides records names the labels it wants counted. Each child gives every record of
its part one of them, by the record's number, they are counted here, and `banyan/aggregates.py` adds
the counts of all parts up, so that no model does sums. (In a mere list of labels a model of 1.5B
parameters was seen to lose its place: it wrote two labels by turns.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from banyan.aggregates import Rules
from banyan.errors import InvalidAction

NO_LABEL = "none"
"""What a record gets that none of the labels fits, or that the goal does not ask about."""


def record_numbers(num_records: int) -> list[str]:
    """The names by which labels are given, in order: the numbers that the prompt shows."""
    return [str(number) for number in range(1, num_records + 1)]


def goal(labels: Sequence[str], only: str | None = None) -> str:
    """What each part is asked: the labels alone, not what their counts are for.

    A goal that speaks of two labels of six was seen to have every record given one of the two.
    `only` says which records count.
    """
    known = labels if len(labels) > 1 else [*labels, NO_LABEL]
    asked = f"Which label fits each numbered record best? Labels: {', '.join(known)}."
    if only:
        asked += f' Only these records count: {only}. The label of all others is "{NO_LABEL}".'
    return asked


def expects(labels: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of the counts of `labels`."""
    return {
        "type": "object",
        "properties": {label: {"type": "integer"} for label in labels},
        "required": list(labels),
    }


def rules(labels: Sequence[str]) -> Rules:
    """How the counts of parts become those of the whole."""
    return dict.fromkeys(labels, "count")


def count(answer: JsonValue, labels: Sequence[str], num_records: int) -> dict[str, JsonValue]:
    """How often each label stands in `answer`, which has one for each record's number.

    Raises InvalidAction where it does not label every record.
    """
    if not isinstance(answer, Mapping) or set(answer) != {*record_numbers(num_records)}:
        raise InvalidAction(f"answer: a label for each of the {num_records} records is expected")
    found = Counter(map(str, answer.values()))
    unknown = set(found) - {*labels, NO_LABEL}
    if unknown:
        raise InvalidAction(f"answer: {min(unknown)!r} is none of the labels")
    return {label: found[label] for label in labels}
