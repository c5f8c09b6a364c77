"""Craft plans: the object that a system answers with, and the steps that it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from banyan.evaluation.crafting import Step


def plan_schema(*actions: str) -> dict[str, Any]:
    """The JSON Schema of a plan whose steps are one of these actions."""
    amount = {"item": {"type": "string"}, "count": {"type": "integer"}}
    ingredients = {"type": "array", "items": _object(amount)}
    action = {"action": {"enum": list(actions)}, **amount, "ingredients": ingredients}
    return _object({"actions": {"type": "array", "items": _object(action)}})


def plan_of(answer: Mapping[str, Any]) -> list[Step]:
    """The steps in order; one that has not the form is a step that makes nothing."""
    actions = answer.get("actions")
    return [_step(one) for one in actions] if isinstance(actions, list) else []


def _step(value: object) -> Step:
    match value:
        case {
            "action": "craft" | "get" as action,
            "item": str(item),
            "count": int(count),
            "ingredients": list(given),
        }:
            amounts = [_amount(one) for one in given]
            if None not in amounts:
                return Step(action, item, count, _summed(one for one in amounts if one))
    return Step("craft", "", 0, {})


def _summed(amounts: Iterable[tuple[str, int]]) -> Counter[str]:
    """An item that is named twice is put in twice."""
    total: Counter[str] = Counter()
    for item, count in amounts:
        total[item] += count
    return total


def _amount(value: object) -> tuple[str, int] | None:
    match value:
        case {"item": str(item), "count": int(count)} if count > 0:
            return item, count
    return None


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
