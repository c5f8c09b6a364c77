"""Value counts: how often a field of records has which value, as a result to answer from. Pure.

It is a partial result like those of parts (`banyan/aggregates.py`), of a bounded length however
many values there are.
"""

from __future__ import annotations

from pydantic import JsonValue

from banyan.aggregates import Rules
from banyan.selection import Selection

_MOST_VALUES = 20
_MOST_EQUAL = 8
_MOST_CHARS = 60


def result(field: str, selection: Selection) -> tuple[dict[str, JsonValue], Rules]:
    """The counts of the commonest values, the most and the least common ones, and how many in all.

    With the rules by which a prompt shows it.
    """
    ordered = sorted(selection.counts.items(), key=lambda entry: -entry[1])
    highest, lowest = (ordered[0][1], ordered[-1][1]) if ordered else (0, 0)
    listed: list[JsonValue] = [f"{_short(value)} ({count})" for value, count in ordered]
    answer: dict[str, JsonValue] = {
        f"records by {field}": _some(listed, _MOST_VALUES),
        "most common": _some(_with(selection, highest), _MOST_EQUAL),
        "least common": _some(_with(selection, lowest), _MOST_EQUAL),
        "different values": len(ordered),
        "records in all": sum(selection.counts.values()),
    }
    rules: Rules = {
        name: "union" if isinstance(one, list) else "sum" for name, one in answer.items()
    }
    if selection.num_without:
        name = f"records without {field}"
        answer[name], rules[name] = selection.num_without, "sum"
    return answer, rules


def _with(selection: Selection, count: int) -> list[JsonValue]:
    return [_short(value) for value, own in selection.counts.items() if own == count]


def _some(values: list[JsonValue], most: int) -> list[JsonValue]:
    left = len(values) - most
    return values if left <= 0 else [*values[:most], f"and {left} more"]


def _short(value: str) -> str:
    return value if len(value) <= _MOST_CHARS else value[: _MOST_CHARS - 1] + "…"
