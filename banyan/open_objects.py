"""Open objects: those of a caller's schema that name properties and do not forbid others. Pure.

JSON Schema allows any other property there, which hardly anybody means: what pydantic makes of a
model says nothing of it either. Small models were seen to go on with properties of their own until
their tokens end, so that the JSON was never closed. So a grammar allows none but those that are
named, where that cannot rule out what another part of the schema demands. Where the schema says
`additionalProperties: true` it allows all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from banyan.references import REFERENCES, parts

_COMPOSING = frozenset({*REFERENCES, "allOf", "anyOf", "oneOf", "if", "not", "dependentSchemas"})
_OF_OTHERS = frozenset(
    {
        "additionalProperties",
        "dependentRequired",
        "minProperties",
        "patternProperties",
        "propertyNames",
        "unevaluatedProperties",
    }
)
"""Where one of these stands, others than the named ones were thought of."""
_OF_OBJECTS = frozenset({*_OF_OTHERS, "properties", "required"})


def may_close(schema: Mapping[str, Any]) -> bool:
    """Whether the open objects of the whole `schema` can be closed.

    Not where a part of it says something of an object and composes schemas as well: what one of
    them does not name the other may demand.
    """
    return not any(_composes_objects(part) for _, part in parts(schema))


def is_open(part: Mapping[str, Any]) -> bool:
    """Whether this part of a schema names properties, all that it demands, and forbids no other."""
    named = part.get("properties")
    if not named or part.keys() & (_COMPOSING | _OF_OTHERS):
        return False
    return all(name in named for name in part.get("required", ()))


def _composes_objects(part: Mapping[str, Any]) -> bool:
    composing = part.keys() & _COMPOSING
    if len(composing) > 1 or len(part.get("allOf", ())) > 1:
        return True
    return bool(composing and part.keys() & _OF_OBJECTS)
