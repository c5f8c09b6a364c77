"""A caller's schema inside the schema of an action: what it allows and forbids stays the same."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import JsonValue

from banyan.errors import SchemaMismatch
from banyan.references import moved
from banyan.schemas import Bounds, check_answer, open_schema, schema_for

TEXT = {"type": "string"}
CASES: dict[str, tuple[dict[str, Any], JsonValue, JsonValue]] = {
    "definitions": (
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": TEXT}},
        {"a": "x"},
        {"a": 1},
    ),
    "recursion": (
        {"properties": {"next": {"$ref": "#"}, "value": {"type": "integer"}}},
        {"value": 1, "next": {"next": {"value": 2}}},
        {"value": 1, "next": {"next": {"value": "x"}}},
    ),
    "a part of itself": (
        {"properties": {"a": TEXT, "b/c~": {"$ref": "#/properties/a"}}},
        {"b/c~": "x"},
        {"b/c~": 1},
    ),
    "anchor": (
        {"properties": {"a": {"$ref": "#here"}}, "$defs": {"x/y": {"$anchor": "here", **TEXT}}},
        {"a": "x"},
        {"a": 1},
    ),
    "a name that is taken": (
        {"properties": {"a": {"$ref": "#"}}, "$defs": {"answer_schema": TEXT}, "required": []},
        {"a": {}},
        {"a": "x"},
    ),
    "data that looks like it": (
        {"properties": {"a": {"const": {"$ref": "#"}}, "$ref": TEXT}},
        {"a": {"$ref": "#"}, "$ref": "x"},
        {"$ref": 1},
    ),
    "format": ({"properties": {"a": {"format": "date"}}}, {"a": "2026-02-28"}, {"a": "2026-02-30"}),
}

CHECKED_LATER: dict[str, tuple[dict[str, Any], JsonValue, JsonValue]] = {
    "one of": (
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "$id": "https://example.org/s"},
        {"a": 1},
        {"a": 1, "b": 2},
    ),
    "at least so many": (
        {"properties": {"a": {"type": "array", "minItems": 2, "uniqueItems": True}}},
        {"a": [1, 2]},
        {"a": [1, 1]},
    ),
}
"""What engines are not told of."""


def bounds(expects: dict[str, Any]) -> Bounds:
    return Bounds(
        answer_tokens=100,
        num_passages=1,
        num_documents=1,
        max_parts=2,
        max_children=2,
        explicit_children=True,
        expects=expects,
    )


@pytest.mark.parametrize("case", CASES)
def test_references_stay_right_inside_an_action(case: str) -> None:
    schema, good, bad = CASES[case]
    expects = {"type": "object", **schema}
    for whole, kind in (
        (schema_for("answer", bounds(expects)), {}),
        (open_schema(("answer", "note"), bounds(expects)), {"kind": "answer"}),
    ):
        Draft202012Validator.check_schema(whole)
        validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
        assert validator.is_valid({**kind, "answer": good, "citations": [1]})
        assert not validator.is_valid({**kind, "answer": bad, "citations": [1]})


@pytest.mark.parametrize("case", CASES | CHECKED_LATER)
def test_an_answer_is_held_to_its_schema(case: str) -> None:
    schema, good, bad = (CASES | CHECKED_LATER)[case]
    expects = {"type": "object", **schema}
    check_answer(good, expects)
    with pytest.raises(SchemaMismatch, match="answer"):
        check_answer(bad, expects)


def test_a_schema_without_references_stays_as_it_is() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": ["$ref"]}}}
    assert moved(schema) == (schema, {})
