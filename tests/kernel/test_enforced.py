"""What engines are given of a caller's schema allows all that the whole allows, and stays whole."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from pydantic import JsonValue

from banyan.bounded_schema import CannotCheck, validate
from banyan.enforced import enforced
from banyan.errors import SchemaMismatch
from banyan.schemas import Bounds, check_answer, schema_for
from service import answer_schema

Schema = dict[str, Any]

FAR = 9 * 10**18
KNOWN: Schema = {
    "type": "object",
    "title": "Duties",
    "properties": {
        "who": {"type": "string", "minLength": 1, "maxLength": 20, "pattern": "^[a-z ]+$"},
        "when": {"type": "string", "format": "date"},
        "how often": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 2},
        "next": {"$ref": "#/$defs/next"},
        "pair": {"type": "array", "prefixItems": [{"const": 1}, {"enum": [2, None]}]},
        "any": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#"}}]},
    },
    "required": ["who"],
    "additionalProperties": False,
    "$defs": {"next": {"allOf": [{"type": "object"}]}},
}

LEFT: dict[str, tuple[Schema, Schema]] = {
    "what says no": (
        {"type": "object", "not": {"required": ["a"]}, "if": {}, "then": False},
        {"type": "object"},
    ),
    "one of": ({"oneOf": [{"type": "null"}, {"not": {}}]}, {"anyOf": [{"type": "null"}, {}]}),
    "one of beside any of": (
        {"oneOf": [{"type": "null"}], "anyOf": [{"type": "null"}]},
        {"anyOf": [{"type": "null"}]},
    ),
    "a format that nobody knows": ({"type": "string", "format": "iri"}, {"type": "string"}),
    "a border of words": ({"type": "string", "pattern": r"\bfour\b"}, {"type": "string"}),
    "names by pattern": (
        {"patternProperties": {"^x": {}}, "additionalProperties": False, "properties": {"a": {}}},
        {"properties": {"a": {}}},
    ),
    "a reference to what is gone": (
        {"properties": {"a": {"$ref": "#/not"}, "b": {"$ref": "#/$defs/b"}}, "not": {},
         "$defs": {"b": {"contains": {}}}},
        {"properties": {"a": {}, "b": {"$ref": "#/$defs/b"}}, "$defs": {"b": {}}},
    ),
    "integers without an end": (
        {"items": {"type": "integer"}, "prefixItems": [{"type": ["integer", "null"]}]},
        {"items": {"type": "integer", "minimum": -FAR, "maximum": FAR},
         "prefixItems": [{"type": ["integer", "null"], "minimum": -FAR, "maximum": FAR}]},
    ),
    "integers that go farther than can be stored": (
        {"type": "integer", "minimum": -(2**63), "exclusiveMaximum": 2**70},
        {"type": "integer", "minimum": -FAR, "exclusiveMaximum": FAR},
    ),
    "integers beside which grammars forget a keyword, and numbers": (
        {"anyOf": [{"type": "integer", "multipleOf": 5}, {"type": ["integer", "number"]}]},
        {"anyOf": [{"type": "integer", "multipleOf": 5}, {"type": ["integer", "number"]}]},
    ),
    "integers that end": (
        {"anyOf": [{"type": "integer", "minimum": 5, "maximum": 7},
                   {"type": "integer", "exclusiveMinimum": -1.5, "maximum": -1},
                   {"type": "integer", "enum": [1]}]},
        {"anyOf": [{"type": "integer", "minimum": 5, "maximum": 7},
                   {"type": "integer", "exclusiveMinimum": -1.5, "maximum": -1},
                   {"type": "integer", "enum": [1]}]},
    ),
    "names that are keywords": (
        {"properties": {"not": {"type": "null"}, "format": {"not": {}}}},
        {"properties": {"not": {"type": "null"}, "format": {}}, "additionalProperties": False},
    ),
    "properties that are not named": (
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"],
         "$defs": {"a": {"anyOf": [{"type": "null"}, {"properties": {"b": {}}}]}}},
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"],
         "additionalProperties": False, "$defs": {"a": {"anyOf": [
             {"type": "null"}, {"properties": {"b": {}}, "additionalProperties": False}]}}},
    ),
    "properties that are not named but thought of": (
        {"prefixItems": [
            {"properties": {"a": {}}, "required": ["b"]},
            {"properties": {"a": {}}, "additionalProperties": True},
            {"properties": {"a": {}}, "minProperties": 2},
            {"type": "object"}]},
        {"prefixItems": [
            {"properties": {"a": {}}, "required": ["b"]},
            {"properties": {"a": {}}, "additionalProperties": True},
            {"properties": {"a": {}}},
            {"type": "object"}]},
    ),
    "properties that another part names": (
        {"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]},
        {"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]},
    ),
    "properties that a part beside it demands": (
        {"required": ["b"], "anyOf": [{"properties": {"a": {}}}, {"$ref": "#/$defs/c"}],
         "$defs": {"c": {"properties": {"c": {}}}}},
        {"required": ["b"], "anyOf": [{"properties": {"a": {}}}, {"$ref": "#/$defs/c"}],
         "$defs": {"c": {"properties": {"c": {}}}}},
    ),
}  # fmt: skip


def test_what_all_grammars_know_is_given_as_it_is() -> None:
    assert enforced(KNOWN) == KNOWN


@pytest.mark.parametrize("case", LEFT)
def test_what_they_do_not_know_is_left_out(case: str) -> None:
    whole, left = LEFT[case]
    Draft202012Validator.check_schema(whole)
    assert enforced(whole) == left


PLAIN: st.SearchStrategy[JsonValue] = st.none() | st.integers(0, 3) | st.sampled_from(["", "a"])
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    PLAIN,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from("abx"), one),
    max_leaves=6,
)
NAMES = st.sampled_from("abx")


def _with_parts(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Schema]:
    several = st.lists(one, min_size=1, max_size=2)
    named = st.dictionaries(NAMES, one, max_size=2)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "not": one,
        "if": one,
        "then": one,
        "else": one,
        "oneOf": several,
        "anyOf": several,
        "allOf": several,
        "items": one | st.booleans(),
        "prefixItems": several,
        "contains": one,
        "properties": named,
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "x"]), one, max_size=2),
        "additionalProperties": one | st.booleans(),
        "dependentSchemas": named,
        "propertyNames": st.sampled_from([{"const": "a"}, {"maxLength": 0}]),
    }
    return st.fixed_dictionaries({}, optional=keywords)


LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["object", "array", "string", "integer", "null"]),
    "minimum": st.integers(0, 3),
    "minProperties": st.integers(0, 2),
    "uniqueItems": st.booleans(),
    "required": st.lists(NAMES, unique=True, max_size=1),
    "pattern": st.sampled_from(["a", r"\ba", "(?i)A"]),
    "$ref": st.sampled_from(["#/$defs/a", "#/$defs/b"]),
}
SCHEMAS = st.recursive(st.fixed_dictionaries({}, optional=LEAVES), _with_parts, max_leaves=5)


def _with_objects(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Schema]:
    named = st.dictionaries(NAMES, one, min_size=1, max_size=2)
    demanded = st.lists(NAMES, unique=True, max_size=1)
    return (
        st.fixed_dictionaries({"properties": named}, optional={"required": demanded})
        | st.lists(one, min_size=1, max_size=2).map(lambda several: {"anyOf": several})
        | one.map(lambda item: {"items": item})
    )


OBJECTS = st.recursive(st.fixed_dictionaries({}, optional=LEAVES), _with_objects, max_leaves=5)


@given(SCHEMAS | OBJECTS, st.tuples(SCHEMAS | OBJECTS, SCHEMAS), VALUES)
def test_no_answer_that_the_whole_allows_is_ruled_out(
    schema: Schema, referred: tuple[Schema, Schema], value: JsonValue
) -> None:
    whole = {**schema, "$defs": dict(zip("ab", referred, strict=True))}
    if is_valid(value, whole):
        left = enforced(whole)
        fewer = [one for one in with_fewer_properties(value, left) if is_valid(one, left)]
        assert fewer
        assert all(is_valid(one, whole) for one in fewer)


def with_fewer_properties(value: JsonValue, schema: Schema) -> Iterator[JsonValue]:
    """`value`, and what is left of it without properties that `schema` says are additional."""
    yield value
    for path, name in set(additional(Draft202012Validator(schema).iter_errors(value))):
        fewer = copy.deepcopy(value)
        place: Any = fewer
        for step in path:
            place = place[step]
        del place[name]
        yield from with_fewer_properties(fewer, schema)


def additional(errors: Iterable[ValidationError]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where an object has a property that it may not have, and its name; in all alternatives."""
    for error in errors:
        if error.validator == "additionalProperties" and error.validator_value is False:
            schema: Any = error.schema
            found: Any = error.instance
            for name in found.keys() - schema.get("properties", {}):
                yield tuple(error.absolute_path), name
        yield from additional(error.context or ())


def is_valid(value: JsonValue, schema: Schema) -> bool:
    try:
        validate(value, schema)
    except (ValidationError, CannotCheck):  # what is drawn may refer to itself without end
        return False
    return True


def test_an_answer_is_still_checked_against_the_whole() -> None:
    schema: Schema = {
        "type": "object",
        "patternProperties": {"^n_": {"type": "integer"}},
        "additionalProperties": False,
        "minProperties": 1,
        "not": {"required": ["n_a", "n_b"]},
    }
    answer_schema.check(schema)
    turn = schema_for("answer", Bounds(64, 0, 0, 2, 2, explicit_children=False, expects=schema))
    assert turn["properties"]["answer"] == {"type": "object"}

    check_answer({"n_a": 1}, schema)
    wrong_by_rule: dict[str, JsonValue] = {
        "minProperties": {},
        "type": {"n_a": "x"},
        "additionalProperties": {"m": 1},
        "not": {"n_a": 1, "n_b": 2},
    }
    for rule, wrong in wrong_by_rule.items():
        with pytest.raises(SchemaMismatch, match=rule):
            check_answer(wrong, schema)
