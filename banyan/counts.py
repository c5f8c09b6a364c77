"""Counts: partial results that merge exactly. Pure.

An agent that divides records names the labels it wants counted. Each child gives every record of
its part one of them; they are counted here, and parents add them up, so that no model does sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from banyan.errors import InvalidAction

NO_LABEL = "none"
"""What a record gets that none of the labels fits, or that the goal does not ask about."""

Counts = dict[str, int]


def expects(labels: Sequence[str]) -> dict[str, Any]:
    """The JSON Schema of the counts of `labels`."""
    return {
        "type": "object",
        "properties": {label: {"type": "integer"} for label in labels},
        "required": list(labels),
    }


def count(answer: JsonValue, labels: Sequence[str], num_records: int) -> dict[str, JsonValue]:
    """How often each label stands in `answer`, one label a record.

    Raises InvalidAction where it does not label every record.
    """
    if not isinstance(answer, list) or len(answer) != num_records:
        raise InvalidAction(f"answer: a label for each of the {num_records} records is expected")
    found = Counter(str(label) for label in answer)
    unknown = set(found) - {*labels, NO_LABEL}
    if unknown:
        raise InvalidAction(f"answer: {min(unknown)!r} is none of the labels")
    return {label: found[label] for label in labels}


def total(parts: Iterable[JsonValue]) -> dict[str, JsonValue] | None:
    """The sum of counts, label by label; None where a part is none."""
    sums: Counter[str] = Counter()
    names: dict[str, None] = {}
    for part in parts:
        if not isinstance(part, Mapping):
            return None
        for name, number in part.items():
            if not isinstance(number, int) or isinstance(number, bool):
                return None
            names[name] = None
            sums[name] += number
    return {name: sums[name] for name in names} if names else None


def as_line(counts: Mapping[str, JsonValue]) -> str:
    """Counts as a prompt shows them, the most frequent first, and how many there are in all."""
    numbers = {name: number for name, number in counts.items() if isinstance(number, int)}
    ordered = sorted(numbers.items(), key=lambda entry: -entry[1])
    listed = ", ".join(f"{name}: {number}" for name, number in ordered)
    return f"{listed} ({sum(numbers.values())} in all)"
