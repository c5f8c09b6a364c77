"""Open lists: those of a caller's schema that say no end, and the end that an answer's tokens set.

Small models were seen to go on with a list until their tokens end, so that the JSON was never
closed. A bound in the grammar closes it: at first the number of items that fit if they are short,
which rules out no answer that has room; once an answer was invalid, the number of usual ones.
Sizes are estimates, in tokens. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema.exceptions import ValidationError
from pydantic import JsonValue

from banyan import bounded_schema
from banyan.bounded_schema import CannotCheck
from banyan.references import parts

Schema = dict[str, Any]

_CHARS_PER_TOKEN = 3
_SHORT_TEXT = 4
_USUAL_TEXT = 12
_ANYTHING = 6
_PLAIN = {"integer": 3, "number": 5, "boolean": 1, "null": 1}
_SHARE_OF_INNER = 4
"""A list in a list gets this part of the outer one's room, and so does what is referred to."""
_SEVERAL = ("anyOf", "oneOf", "allOf")
_NAMED = ("$defs", "definitions")


def closed(schema: Mapping[str, Any], tokens: int, *, usual: bool = False) -> Schema:
    """`schema` with `maxItems` for every list that has none, so that it fits into `tokens`.

    `usual`: for items of the usual size instead of short ones.
    """
    demands = [int(part.get("minItems", 0)) for _, part in parts(schema)]
    return _Bounds(_USUAL_TEXT if usual else _SHORT_TEXT, max(1, *demands)).schema(schema, tokens)


def is_full(
    answer: JsonValue, schema: Mapping[str, Any], tokens: int, *, usual: bool = False
) -> bool:
    """Whether a list of `answer`, which follows `schema`, has as many items as `closed` allows."""
    if not any(_is_open(part) for _, part in parts(schema)):
        return False
    try:
        bounded_schema.validate(answer, _one_less(schema, closed(schema, tokens, usual=usual)))
    except ValidationError:
        return True
    except CannotCheck:  # too large for one more check
        return False
    return False


@dataclass(frozen=True, slots=True)
class _Bounds:
    """`text`: tokens of a string; `least`: no list is bounded by less, some part demands it."""

    text: int
    least: int

    def any(self, schema: object, tokens: int) -> Any:
        return self.schema(schema, tokens) if isinstance(schema, Mapping) else schema

    def schema(self, schema: Mapping[str, Any], tokens: int) -> Schema:
        result: Schema = dict(schema)
        inner = tokens // _SHARE_OF_INNER
        for key in _NAMED:
            if key in schema:
                result[key] = {name: self.any(one, inner) for name, one in schema[key].items()}
        for key in _SEVERAL:
            if key in schema:
                result[key] = [self.any(one, tokens) for one in schema[key]]
        if "properties" in schema:
            result["properties"] = self._properties(schema["properties"], tokens)
        if "items" in schema:
            each = tokens // max(1, int(schema.get("maxItems", _SHARE_OF_INNER)))
            result["items"] = self.any(schema["items"], each)
        if _is_open(schema):
            room = (tokens - 2) // (self._size(result.get("items", True)) + 1)
            result["maxItems"] = max(self.least, room, len(schema.get("prefixItems", ())))
        return result

    def _properties(self, properties: Mapping[str, Any], tokens: int) -> Schema:
        """Each one that holds an open list gets an equal part of what the others leave."""
        is_open = {
            name: any(_is_open(part) for _, part in parts(one)) for name, one in properties.items()
        }
        others = sum(self._size(one) for name, one in properties.items() if not is_open[name])
        rest = tokens - others - sum(map(_of_name, properties))
        room = rest // max(1, sum(is_open.values()))
        return {name: self.any(one, room) for name, one in properties.items()}

    def _size(self, schema: object) -> int:
        """Tokens of a value whose lists are bounded."""
        if not isinstance(schema, Mapping):
            return _ANYTHING
        if "const" in schema or "enum" in schema:
            values = schema.get("enum", [schema.get("const")])
            return max((_of_text(json.dumps(one)) for one in values), default=1)
        if several := [self._size(one) for key in _SEVERAL for one in schema.get(key, ())]:
            return max(several)
        if "properties" in schema:
            named = schema["properties"].items()
            return 2 + sum(_of_name(name) + self._size(one) for name, one in named)
        if _is_list(schema) and "maxItems" in schema:
            return 2 + int(schema["maxItems"]) * (self._size(schema.get("items", True)) + 1)
        kind = schema.get("type")
        if kind == "string":
            most = int(schema.get("maxLength", self.text * _CHARS_PER_TOKEN))
            return min(self.text, 2 + most // _CHARS_PER_TOKEN)
        return _PLAIN.get(kind, _ANYTHING) if isinstance(kind, str) else _ANYTHING


def _is_open(schema: Mapping[str, Any]) -> bool:
    return _is_list(schema) and "maxItems" not in schema


def _is_list(schema: Mapping[str, Any]) -> bool:
    if "const" in schema or "enum" in schema:
        return False
    kinds = schema.get("type", "array" if "items" in schema else ())
    return kinds == "array" or (isinstance(kinds, list) and "array" in kinds)


def _of_name(name: str) -> int:
    return _of_text(name) + 2


def _of_text(text: str) -> int:
    return 1 + len(text) // _CHARS_PER_TOKEN


def _one_less(schema: Any, bounded: Any) -> Any:
    """`bounded`, with each bound that `schema` does not have lowered by one."""
    if isinstance(bounded, Mapping) and isinstance(schema, Mapping):
        result = {key: _one_less(schema.get(key), one) for key, one in bounded.items()}
        if "maxItems" in bounded and "maxItems" not in schema:
            result["maxItems"] -= 1
        return result
    if isinstance(bounded, list) and isinstance(schema, list):
        return [_one_less(old, new) for old, new in zip(schema, bounded, strict=True)]
    return bounded
