from __future__ import annotations

from typing import Any

import pytest

from banyan.errors import InvalidSchema
from service import answer_schema

OBJECT: dict[str, Any] = {"type": "object"}

GOOD: dict[str, dict[str, Any]] = {
    "smallest": OBJECT,
    "properties": {**OBJECT, "properties": {"a": {"type": "integer", "minimum": 1}}},
    "local reference": {
        **OBJECT,
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"type": "string"}},
    },
    "recursion": {**OBJECT, "properties": {"left": {"$ref": "#"}}},
    "anchor": {
        **OBJECT,
        "properties": {"a": {"$ref": "#name"}},
        "$defs": {"a": {"$anchor": "name", "type": "string"}},
    },
    "property named $ref": {**OBJECT, "properties": {"$ref": {"type": "string"}}},
    "properties named as keywords": {
        **OBJECT,
        "properties": {"patternProperties": {"type": "string"}, "enum": {"type": "integer"}},
    },
    "reference as data": {**OBJECT, "properties": {"a": {"const": {"$ref": "http://x/"}}}},
    "pattern properties": {**OBJECT, "patternProperties": {"^x": {"type": "integer"}}},
    "pattern": {**OBJECT, "properties": {"a": {"type": "string", "pattern": "^[a-z]+$"}}},
    "its own dialect": {**OBJECT, "$schema": "https://json-schema.org/draft/2020-12/schema"},
}

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({}, "root"),
    "text at the root": ({"type": "string"}, "root"),
    "unknown type": ({"type": "thing"}, "root"),
    "wrong keyword": ({**OBJECT, "properties": 1}, "properties"),
    "negative length": ({**OBJECT, "minProperties": -1}, "minProperties"),
    "remote reference": ({**OBJECT, "$ref": "https://example.org/s.json"}, "nothing is fetched"),
    "file reference": ({**OBJECT, "$ref": "file:///etc/passwd"}, "nothing is fetched"),
    "reference to nothing": ({**OBJECT, "$ref": "#/$defs/a"}, "points to nothing"),
    "remote behind a list": (
        {**OBJECT, "anyOf": [{"$dynamicRef": "other#x"}]},
        "nothing is fetched",
    ),
    "remote under a name that is a keyword elsewhere": (
        {**OBJECT, "properties": {"default": {"$ref": "http://127.0.0.1:9/x"}}},
        "nothing is fetched",
    ),
    "remote in a definition of such a name": (
        {
            **OBJECT,
            "$ref": "#/$defs/const",
            "$defs": {"const": {"$ref": "http://127.0.0.1:9/x"}},
        },
        "nothing is fetched",
    ),
    "broken pattern under such a name": (
        {**OBJECT, "properties": {"examples": {"pattern": "("}}},
        "pattern",
    ),
    "older draft": ({**OBJECT, "$schema": "http://json-schema.org/draft-07/schema#"}, r"\$schema"),
    "too large": ({**OBJECT, "description": "a" * 70_000}, "larger than"),
    "broken pattern": ({**OBJECT, "properties": {"a": {"pattern": "("}}}, "pattern"),
    "backtracking pattern": ({**OBJECT, "patternProperties": {r"(a)\1": {}}}, "pattern"),
    "pattern properties that nothing could evaluate": (
        {**OBJECT, "patternProperties": {"^x": {}}, "unevaluatedProperties": False},
        "use additionalProperties",
    ),
    "not finite": ({**OBJECT, "properties": {"a": {"const": float("nan")}}}, "finite"),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_schema_that_is_closed_in_itself_is_taken(case: str) -> None:
    before = repr(GOOD[case])
    answer_schema.check(GOOD[case])

    assert repr(GOOD[case]) == before


@pytest.mark.parametrize("case", BAD)
def test_a_schema_that_cannot_constrain_an_answer_is_refused(case: str) -> None:
    schema, why = BAD[case]
    with pytest.raises(InvalidSchema, match=why):
        answer_schema.check(schema)
