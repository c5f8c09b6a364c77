"""Aggregates: partial results that merge exactly, outside the model. Pure.

A parent that asks its children for a flat object says for each property how the parts' values
become that of the whole. The rules are a closed set, and each is associative and keeps the order of
the parts, so that the result does not depend on how an input was divided. Counts of labelled
records (`banyan/counts.py`) are one case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Literal, get_args

from pydantic import JsonValue

from banyan.errors import InvalidAction

Rule = Literal["count", "sum", "min", "max", "union"]
"""`count`: how many there are of something, added up, and compared with the other counts. `sum`:
integers added up; fractions would depend on the order. `min`, `max`: of numbers. `union`: strings,
each once, in the order of the material."""

Rules = dict[str, Rule]

RULES: tuple[Rule, ...] = get_args(Rule)

MERGE = "merge"
"""The keyword beside a property's `type` that names its rule."""

_TYPES: Mapping[Rule, frozenset[str]] = {
    "count": frozenset({"integer"}),
    "sum": frozenset({"integer"}),
    "min": frozenset({"integer", "number"}),
    "max": frozenset({"integer", "number"}),
    "union": frozenset({"array"}),
}
_STRINGS = {"type": "string", "maxLength": 200}


def rules_of(expects: Mapping[str, Any] | None) -> Rules:
    """The rules that `expects` states; none where the results are not to be merged exactly.

    Raises InvalidAction where only some properties have one, or a rule does not suit its type.
    """
    properties = (expects or {}).get("properties", {})
    rules: Rules = {name: one[MERGE] for name, one in properties.items() if MERGE in one}
    if rules and len(rules) < len(properties):
        missing = min(set(properties) - set(rules))
        raise InvalidAction(f"expects: all properties need a {MERGE} rule, {missing!r} has none")
    for name, rule in rules.items():
        if properties[name]["type"] not in _TYPES[rule]:
            allowed = " or ".join(sorted(_TYPES[rule]))
            raise InvalidAction(f"expects: {name!r} is merged by {rule}, so it must be {allowed}")
    return rules


def schema_of(expects: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """`expects` as a JSON Schema for a child's answer, without the rules."""
    if expects is None:
        return None
    closed = {"additionalProperties": False} if rules_of(expects) else {}
    return {
        **expects,
        **closed,
        "properties": {
            name: {"type": "array", "items": _STRINGS}
            if one.get(MERGE) == "union"
            else {key: value for key, value in one.items() if key != MERGE}
            for name, one in expects.get("properties", {}).items()
        },
    }


def merge(parts: Iterable[JsonValue], rules: Mapping[str, Rule]) -> dict[str, JsonValue] | None:
    """The parts' results as one, property by property, in the order of `rules`.

    Parts without a result (null) are left out, and so is what no part has a value for. None where
    a part is no such object, where there is none, and without rules.
    """
    values: dict[str, list[JsonValue]] = {name: [] for name in rules}
    there = [part for part in parts if part is not None]
    for part in there:
        if not isinstance(part, Mapping):
            return None
        for name, value in part.items():
            if name not in rules or not _suits(value, rules[name]):
                return None
            values[name].append(value)
    if not there or not rules:
        return None
    return {name: _merged(found, rules[name]) for name, found in values.items() if found}


def _suits(value: JsonValue, rule: Rule) -> bool:
    if rule == "union":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # JSON Schema takes 3.0 for an integer.
    return rule in {"min", "max"} or isinstance(value, int) or value.is_integer()


def _merged(values: list[Any], rule: Rule) -> JsonValue:
    match rule:
        case "count" | "sum":
            return sum(map(int, values))
        case "min":
            lowest: int | float = min(values)
            return lowest
        case "max":
            highest: int | float = max(values)
            return highest
        case "union":
            return list(dict.fromkeys(one for value in values for one in value))


def as_line(merged: Mapping[str, JsonValue], rules: Mapping[str, Rule]) -> str:
    """A merged result as a prompt shows it: the counts first, then the rest in its order."""
    counts = {
        name: value
        for name, value in merged.items()
        if rules[name] == "count" and isinstance(value, int)
    }
    others = [f"{name}: {_shown(value)}" for name, value in merged.items() if name not in counts]
    return "; ".join(([_counts(counts)] if counts else []) + others)


def _counts(counts: Mapping[str, int]) -> str:
    """Counts, the most common first; how many there are in all, the extremes, and the ties.

    Written as `ham: 7`, they were taken by a model of 1.5B parameters for the form of an answer.
    """
    ordered = sorted(counts.items(), key=lambda entry: -entry[1])
    listed = ", ".join(f"{name} {_times(number)}" for name, number in ordered)
    alike = [[name for name, _ in same] for _, same in groupby(ordered, key=lambda entry: entry[1])]
    told = [f"{listed} ({sum(counts.values())} in all)"]
    if len(alike) > 1:
        told.append(f"most common: {' and '.join(alike[0])}")
        told.append(f"least common: {' and '.join(alike[-1])}")
    told += [f"{' and '.join(names)} are equal" for names in alike if len(names) > 1]
    return "; ".join(told)


def _times(number: int) -> str:
    return "1 time" if number == 1 else f"{number} times"


def _shown(value: JsonValue) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
