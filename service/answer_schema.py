"""Answer schemas: what a caller's JSON Schema must be before it may constrain a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import re2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from banyan.bounded_schema import CannotCheck, compile_pattern, validate
from banyan.errors import InvalidInput, InvalidSchema
from banyan.json_values import canonical, check_storable
from banyan.references import REFERENCES, parts
from service.schemas import MAX_SCHEMA_BYTES

MAX_PATTERNS = 32
MAX_STEPS = 5_000
"""Of checking the least object against a schema before it is admitted."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check(schema: dict[str, Any]) -> None:
    """Raise InvalidSchema unless `schema` is draft 2020-12, closed in itself, and an object's.

    References must point into the schema: nothing is ever fetched. Patterns must be regular
    expressions that can be matched in linear time (RE2), and few steps must do to check a value.
    """
    try:
        check_storable(schema, "answer_schema")
    except InvalidInput as error:
        raise InvalidSchema(str(error)) from error
    if len(canonical(schema)) > MAX_SCHEMA_BYTES:
        raise InvalidSchema(f"answer_schema: larger than {MAX_SCHEMA_BYTES} bytes")
    if schema.get("type") != "object":
        raise InvalidSchema('answer_schema: the root needs "type": "object"')
    if schema.get("$schema", _DIALECT) != _DIALECT:
        raise InvalidSchema(f"answer_schema: $schema must be {_DIALECT}")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join(str(part) for part in error.absolute_path) or "root"
        raise InvalidSchema(
            f"answer_schema: {where} breaks the rule {error.validator!r} of JSON Schema"
        ) from error
    keywords = {key for _, part in parts(schema) for key in part}
    if {"patternProperties", "unevaluatedProperties"} <= keywords:
        raise InvalidSchema(
            "answer_schema: patternProperties beside unevaluatedProperties is not supported, "
            "use additionalProperties"
        )
    _check_references(schema)
    patterns = set(_patterns(schema))
    if len(patterns) > MAX_PATTERNS:
        raise InvalidSchema(f"answer_schema: more than {MAX_PATTERNS} patterns")
    for pattern in patterns:
        try:
            compile_pattern(pattern)
        except re2.error as error:
            raise InvalidSchema(
                "answer_schema: a pattern is no RE2 expression, or too large"
            ) from error
    _check_steps(schema)


def _check_steps(schema: dict[str, Any]) -> None:
    """The least object shows what references at the same place in a value add up to."""
    try:
        validate({}, schema, max_steps=MAX_STEPS)
    except CannotCheck as error:
        raise InvalidSchema(f"answer_schema: {error}") from error
    except ValidationError:
        return  # it asks for more than nothing


def _check_references(schema: dict[str, Any]) -> None:
    registry: Registry[Any] = Registry()
    resolver = registry.with_resource("", DRAFT202012.create_resource(schema)).resolver()
    for reference in _references(schema):
        if not reference.startswith("#"):
            raise InvalidSchema("answer_schema: references must begin with #; nothing is fetched")
        try:
            resolver.lookup(reference)
        except Unresolvable as error:
            raise InvalidSchema("answer_schema: a reference points to nothing") from error


def _references(schema: dict[str, Any]) -> Iterator[str]:
    for _, part in parts(schema):
        for key in REFERENCES:
            if isinstance(part.get(key), str):
                yield part[key]


def _patterns(schema: dict[str, Any]) -> Iterator[str]:
    for _, part in parts(schema):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        if isinstance(part.get("patternProperties"), dict):
            yield from part["patternProperties"]
