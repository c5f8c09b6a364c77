"""The reference of the REST API: Markdown, made of the OpenAPI document. Pure.

    curl -s http://127.0.0.1:8080/openapi.json | python -m service.reference > docs/reference.md

A test keeps docs/reference.md as this makes it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

_HEAD = """\
# Reference of the REST API

Made of the OpenAPI document by `python -m service.reference`. [The REST API](api.md) is the page to
read first. Errors of every call are problems, which stand [at the end](#problems); those below
`/v1` are in [OpenAI's shape](openai.md)."""
_TITLES = {"openai": "OpenAI's interface"}
_JSON = "application/json"


class Reference:
    """The page of one OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths: dict[str, dict[str, Any]] = document["paths"]
        self._schemas: dict[str, dict[str, Any]] = document["components"]["schemas"]
        self._shown: dict[str, str] = {}

    def render(self) -> str:
        """All calls by their tag, the problems, and the fields of every schema."""
        return "\n\n".join([_HEAD, *self._calls(), *self._problems(), *self._fields()]) + "\n"

    def _operations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, operations in self._paths.items():
            for method, operation in operations.items():
                yield f"{method.upper()} {path}", operation

    def _calls(self) -> Iterator[str]:
        tags = dict.fromkeys(operation["tags"][0] for _, operation in self._operations())
        for tag in tags:
            yield f"## {_TITLES.get(tag, tag.capitalize())}"
            for name, operation in self._operations():
                if operation["tags"][0] == tag:
                    yield from self._call(name, operation)

    def _call(self, name: str, operation: dict[str, Any]) -> Iterator[str]:
        yield f"### `{name}`"
        yield f"{operation['summary']}. {operation['description']}"
        scopes = [scope for needs in operation.get("security", ()) for scope in needs["bearer"]]
        yield f"Scope: `{scopes[0]}`." if scopes else "No scope is needed."
        if parameters := operation.get("parameters"):
            yield _table(
                ("parameter", "in", "type", ""),
                (
                    (f"`{one['name']}`", one["in"], _kind(one["schema"]), _said(one))
                    for one in parameters
                ),
            )
        for kind, body in operation.get("requestBody", {}).get("content", {}).items():
            yield f"Body, `{kind}`: {_kind(body['schema'])}"
            if kind == _JSON:
                yield _block(self._example_of(body["schema"]))
        replies = sorted(operation["responses"].items())
        yield _table(("status", "reply"), map(_reply, replies))
        for status, reply in replies:
            for kind, body in reply.get("content", {}).items():
                if int(status) < HTTPStatus.BAD_REQUEST:
                    yield from self._shown_once(f"{status}, `{kind}`", body["example"], name)

    def _shown_once(self, title: str, example: Any, name: str) -> Iterator[str]:
        """The example; where another call has shown it, the name of that call."""
        block = _block(example)
        if before := self._shown.get(block):
            yield f"{title}: as of `{before}`."
        else:
            self._shown[block] = name
            yield f"{title}:"
            yield block

    def _example_of(self, schema: dict[str, Any]) -> Any:
        """The first example of the schema that `schema` refers to; it may be null besides."""
        [name] = [_name(one) for one in schema.get("anyOf", [schema]) if "$ref" in one]
        return self._schemas[name]["examples"][0]

    def _problems(self) -> Iterator[str]:
        yield "## Problems"
        yield "One of each status; `code` and `hint` tell [what was wrong](api.md)."
        seen: dict[str, Any] = {}
        for _, operation in self._operations():
            for status, reply in operation["responses"].items():
                if body := reply.get("content", {}).get("application/problem+json"):
                    seen.setdefault(status, body["example"])
        for _, example in sorted(seen.items()):
            yield _block(example)

    def _fields(self) -> Iterator[str]:
        yield "## Schemas"
        for name, schema in sorted(self._schemas.items()):
            yield f"### {name}"
            if schema.get("description"):
                yield schema["description"]
            required = schema.get("required", ())
            if fields := schema.get("properties"):
                yield _table(
                    ("field", "type", "default", ""),
                    (
                        (
                            f"`{field}`",
                            _kind(one),
                            _default(one, is_needed=field in required),
                            _said(one),
                        )
                        for field, one in fields.items()
                    ),
                )
            else:
                yield _kind(schema)


def _reply(reply: tuple[str, dict[str, Any]]) -> tuple[str, str]:
    status, described = reply
    said = str(described["description"]).removesuffix(".").replace("Successful Response", "")
    kinds = " or ".join(_kind(body["schema"]) for body in described.get("content", {}).values())
    return status, ". ".join(part for part in (said, kinds) if part)


def _kind(schema: dict[str, Any]) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        name = _name(schema)
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(_kind(one) for one in choices))
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        return " ".join(f"`{value}`" for value in values)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return f"{schema.get('type', 'any JSON')}{_bounds(schema)}"


def _bounds(schema: dict[str, Any]) -> str:
    names = {
        "minimum": "≥",
        "exclusiveMinimum": ">",
        "maximum": "≤",
        "minLength": "length ≥",
        "maxLength": "length ≤",
        "pattern": "like",
    }
    said = [
        f"{sign} `{schema[name]}`" if name == "pattern" else f"{sign} {schema[name]:,}"
        for name, sign in names.items()
        if name in schema
    ]
    return f" ({', '.join(said)})" if said else ""


def _default(schema: dict[str, Any], *, is_needed: bool) -> str:
    if is_needed:
        return "needed"
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else ""


def _said(described: dict[str, Any]) -> str:
    text: str = described.get("description") or ""
    return text


def _name(schema: dict[str, Any]) -> str:
    name: str = schema["$ref"].rpartition("/")[2]
    return name


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _block(example: Any) -> str:
    if isinstance(example, str):
        return f"```text\n{example.rstrip()}\n```"
    return f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```"


if __name__ == "__main__":
    sys.stdout.write(Reference(json.load(sys.stdin)).render())
