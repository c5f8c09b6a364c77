"""Enforced: of a caller's JSON Schema, the part that grammars of model servers know. Pure.

What is left allows all that the whole schema allows, and more, so that no answer is ruled out but
integers that can hardly be stored, and properties that an object does not name
(`banyan/open_objects.py`). Whoever gets the answer checks it against the whole. A keyword
that a server does not know would have it refuse the call, or, with some, forget the schema in
silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from banyan import open_objects
from banyan.references import REFERENCES, parts

Schema = dict[str, Any]

_PLAIN = frozenset(
    {
        *REFERENCES,
        "$anchor",
        "$dynamicAnchor",
        "const",
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "multipleOf",
        "required",
        "title",
        "type",
    }
)
_ONE = frozenset({"additionalProperties", "items"})
_SEVERAL = frozenset({"allOf", "anyOf", "prefixItems"})
_NAMED = frozenset({"$defs", "definitions", "properties"})
_FORMATS = frozenset(
    {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"}
)
_FARTHEST = 9 * 10**18
"""The largest integer, either way, that grammars can be told of and answers can hold."""
_SPECIAL_PATTERN = re.compile(r"\\[ABCQEGZbz]|\(\?(?!:)")
"""Borders, quotations, flags and names, which expressions of grammars do not have."""


def enforced(schema: Mapping[str, Any]) -> Schema:
    """`schema` without the keywords that grammars do not know. References point to what is left."""
    closes = open_objects.may_close(schema)
    left = _weaker(schema, closes=closes)
    gone = _dangling(left)
    return _weaker(schema, gone, closes=closes) if gone else left


def _weaker(
    schema: Mapping[str, Any], gone: frozenset[str] = frozenset(), *, closes: bool
) -> Schema:
    """References in `gone` are left out, so that there may be anything.

    `closes`: objects have no properties but those that they name.
    """

    def inner(value: object) -> object:
        if not isinstance(value, Mapping):  # true or false
            return value
        return _weaker(value, gone, closes=closes)

    left: Schema = {}
    for key, value in schema.items():
        if key in _ONE:
            left[key] = inner(value)
        elif key in _SEVERAL:
            left[key] = [inner(one) for one in value]
        elif key in _NAMED:
            left[key] = {name: inner(one) for name, one in value.items()}
        elif key == "oneOf" and "anyOf" not in schema:
            left["anyOf"] = [inner(one) for one in value]
        elif _is_known(key, value) and not (key in REFERENCES and value in gone):
            left[key] = value
    if "patternProperties" in schema:  # names that these allow would be additional ones now
        left.pop("additionalProperties", None)
    if closes and open_objects.is_open(schema):
        left["additionalProperties"] = False
    return {**left, **_ends(left)} if _is_integer(left) else left


def _is_integer(schema: Schema) -> bool:
    if "const" in schema or "enum" in schema:
        return False
    kinds = schema.get("type")
    return kinds == "integer" or (
        isinstance(kinds, list) and "integer" in kinds and "number" not in kinds
    )


def _ends(schema: Schema) -> Schema:
    """How far an integer may go: small models write digits without end, and few are storable.

    Beside `multipleOf` no end is added: xgrammar forgets that keyword where there is a range.
    """
    ends: Schema = {}
    for key, exclusive, sign in (
        ("minimum", "exclusiveMinimum", -1),
        ("maximum", "exclusiveMaximum", 1),
    ):
        told = [one for one in (key, exclusive) if one in schema]
        ends |= {one: sign * min(sign * schema[one], _FARTHEST) for one in told}
        if not told and "multipleOf" not in schema:
            ends[key] = sign * _FARTHEST
    return ends


def _is_known(key: str, value: Any) -> bool:
    if key == "format":
        return value in _FORMATS
    if key == "pattern":
        return _SPECIAL_PATTERN.search(value) is None
    return key in _PLAIN


def _dangling(schema: Schema) -> frozenset[str]:
    """References to parts that are gone."""
    registry: Registry[Any] = Registry()
    resolver = registry.with_resource("", DRAFT202012.create_resource(schema)).resolver()
    found = set()
    for _, part in parts(schema):
        for key in REFERENCES:
            if key not in part:
                continue
            try:
                resolver.lookup(part[key])
            except Unresolvable:
                found.add(part[key])
    return frozenset(found)
