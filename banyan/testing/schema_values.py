"""The smallest value that a JSON Schema allows, for the schemas that Banyan generates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

Schema = Mapping[str, Any]


def minimal(schema: Schema) -> JsonValue:
    """The smallest instance: required properties, fewest items, shortest strings, least numbers.

    Knows type, const, enum, anyOf, oneOf, allOf, local `$ref`, required, minItems, minLength, and
    the bounds of numbers. A string has no `pattern`, and recursion must end in an optional part.
    """
    return _minimal(schema, schema)


def _minimal(schema: Schema, root: Schema) -> JsonValue:
    if "$ref" in schema:
        return _minimal(_resolve(schema["$ref"], root), root)
    if "const" in schema:
        return _json(schema["const"])
    if "enum" in schema:
        return _json(schema["enum"][0])
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return _minimal({**_without(schema, name), **schema[name][0]}, root)
    if "allOf" in schema:
        merged: dict[str, Any] = _without(schema, "allOf")
        for part in schema["allOf"]:
            merged = _merge(merged, _resolve(part["$ref"], root) if "$ref" in part else part)
        return _minimal(merged, root)
    match _type(schema):
        case "object":
            properties = schema.get("properties", {})
            return {
                name: _minimal(properties.get(name, {}), root)
                for name in schema.get("required", ())
            }
        case "array":
            prefix = [_minimal(item, root) for item in schema.get("prefixItems", ())]
            missing = schema.get("minItems", 0) - len(prefix)
            return prefix + [_minimal(schema.get("items", {}), root) for _ in range(missing)]
        case "string":
            return "x" * int(schema.get("minLength", 0))
        case "integer" | "number":
            return _least_number(schema)
        case "boolean":
            return False
        case _:
            return None


def _type(schema: Schema) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        return str(named[0])
    if named is not None:
        return str(named)
    return "object" if "properties" in schema or "required" in schema else "null"


def _least_number(schema: Schema) -> int | float:
    """Zero where it is allowed, else the bound that is nearest to it."""
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", -math.inf)
    high = schema.get("maximum", math.inf)
    if "exclusiveMinimum" in schema:
        low = max(low, schema["exclusiveMinimum"] + step)
    if "exclusiveMaximum" in schema:
        high = min(high, schema["exclusiveMaximum"] - step)
    if low <= 0 <= high:
        return 0
    nearest = math.ceil(low / step) * step if low > 0 else math.floor(high / step) * step
    return int(nearest) if nearest == int(nearest) else nearest


def _resolve(reference: str, root: Schema) -> Schema:
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        found = found[part.replace("~1", "/").replace("~0", "~")]
    schema: Schema = found
    return schema


def _without(schema: Schema, name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}


def _merge(left: Schema, right: Schema) -> dict[str, Any]:
    merged = {**left, **right}
    for name in ("properties", "required"):
        if name in left and name in right:
            both = left[name], right[name]
            merged[name] = {**both[0], **both[1]} if name == "properties" else [*both[0], *both[1]]
    return merged


def _json(value: Any) -> JsonValue:
    known: JsonValue = value
    return known
