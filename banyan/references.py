"""References: a caller's schema inside another one, with its references still right. Pure.

`#/…` points from the root of the document, which is another one once the schema is a part of it.
So what is referred to moves to the new root's `$defs`, and references follow. Schemas without
references stay as they are, which is what engines compile best.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

_DATA = frozenset({"const", "enum", "default", "examples"})
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_OWN = frozenset({"$schema", "$id"})
REFERENCES = ("$ref", "$dynamicRef")
ROOT = "answer_schema"
"""Under this name in `$defs` stands the whole schema, where something refers to it."""


def moved(schema: Mapping[str, Any]) -> tuple[Schema, Schema]:
    """`schema` as it stands inside another one, and the `$defs` that the other's root needs.

    References begin with `#`, as the service checks; anchors become pointers.
    """
    found = list(parts(schema))
    references = [part[key] for _, part in found for key in REFERENCES if key in part]
    if not references:
        return {key: value for key, value in schema.items() if key not in _OWN}, {}
    anchors = {
        f"#{part[key]}": f"#{pointer}"
        for pointer, part in found
        for key in ("$anchor", "$dynamicAnchor")
        if key in part
    }
    root = _free_name(schema.get("$defs", {}))
    rewritten = _rewritten(schema, anchors, root)
    definitions: Schema = rewritten.pop("$defs", {})
    definitions[root] = rewritten
    return {"$ref": f"#/$defs/{root}"}, definitions


def _free_name(taken: Mapping[str, Any]) -> str:
    name = ROOT
    while name in taken:
        name += "_"
    return name


def parts(value: object, pointer: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema in a schema, with the JSON pointer to it.

    A name under `properties` or `$defs` is no keyword, whatever it is; what a keyword such as
    `enum` holds is data.
    """
    if isinstance(value, Mapping):
        yield pointer, value
        for key, item in value.items():
            path = f"{pointer}/{_escaped(key)}"
            if key in _NAMED and isinstance(item, Mapping):
                for name, one in item.items():
                    yield from parts(one, f"{path}/{_escaped(name)}")
            elif key not in _DATA:
                yield from parts(item, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from parts(item, f"{pointer}/{index}")


def _rewritten(value: Mapping[str, Any], anchors: Mapping[str, str], root: str) -> Schema:
    """`value`, a schema, with its references pointing to where their targets stand now."""
    result: Schema = {}
    for key, item in value.items():
        if key in REFERENCES:
            result["$ref"] = _target(anchors.get(item, item), root)
        elif key in _NAMED and isinstance(item, Mapping):
            result[key] = {name: _inner(one, anchors, root) for name, one in item.items()}
        elif key in _DATA:
            result[key] = item
        elif key not in _OWN and key not in {"$anchor", "$dynamicAnchor"}:
            result[key] = _inner(item, anchors, root)
    return result


def _inner(value: object, anchors: Mapping[str, str], root: str) -> object:
    if isinstance(value, Mapping):
        return _rewritten(value, anchors, root)
    if isinstance(value, list):
        return [_inner(item, anchors, root) for item in value]
    return value


def _target(reference: str, root: str) -> str:
    if reference.startswith("#/$defs/"):
        return reference
    return f"#/$defs/{root}{reference.removeprefix('#')}"


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
