"""What packed state holds: every field of its kinds and of what is in them, and their values.

    python -m tests.kernel.packed_fields 0.1.0

writes it down for a release. A worker of that release takes nothing else: what is added later, in
the same format version, fails on it as `unreadable_pack`. A newer version it leaves to others.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from banyan.node import Node, Outcome
from banyan.packed_state import SharedState
from banyan.state import format_version
from banyan.task import Task
from banyan.trajectory import TurnRecord

KINDS: tuple[type[BaseModel], ...] = (Node, Outcome, SharedState, Task, TurnRecord)
RELEASED = Path(__file__).with_name("packed_fields")
WORDS = "adds fields to packed state"
"""What the change log says of a release that does."""

Fields = Mapping[str, list[str]]


def now() -> Fields:
    """By kind and format version: all fields, as `Model.field` and `Model.field=value`."""
    return {f"{kind.__name__} {format_version(kind)}": sorted(_fields(kind)) for kind in KINDS}


def _fields(kind: type[BaseModel]) -> set[str]:
    schema = kind.model_json_schema()
    models = {kind.__name__: schema, **schema.get("$defs", {})}
    return {line for name, of in models.items() for line in _lines(name, of)}


def _lines(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    for value in _values({key: of for key, of in schema.items() if key in {"enum", "const"}}):
        yield f"{name}={value}"
    for field, of in schema.get("properties", {}).items():
        yield f"{name}.{field}"
        for value in _values(of):
            yield f"{name}.{field}={value}"


def _values(schema: Any) -> Iterator[str]:
    """Of enumerations and literals, at any depth."""
    if isinstance(schema, Mapping):
        yield from map(str, schema.get("enum", ()))
        if "const" in schema:
            yield str(schema["const"])
        for key, of in schema.items():
            if key not in {"default", "examples"}:
                yield from _values(of)
    elif isinstance(schema, list):
        for of in schema:
            yield from _values(of)


def unsaid(changelog: str, released: Mapping[str, Fields], fields: Fields) -> str | None:
    """What the change log or the folder of releases lacks, or None.

    `released` has the fields of every release, by its version; `fields` are those of now.
    """
    versions = re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)
    if not versions:
        return None
    if versions[0] not in released:
        return f"write down what {versions[0]} packs: python -m {__name__} {versions[0]}"
    before = released[versions[0]]
    same_format = {kind: of for kind, of in fields.items() if kind in before}
    added = {kind: sorted({*of} - {*before[kind]}) for kind, of in same_format.items()}
    told = changelog.partition("## [Unreleased]")[2].partition("\n## [")[0]
    if any(added.values()) and WORDS not in told:
        return f"the change log has to say that the next release {WORDS}: {added}"
    return None


def kept() -> Mapping[str, Fields]:
    """The fields of every release, by its version."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in RELEASED.glob("*.json")}


if __name__ == "__main__":
    RELEASED.mkdir(exist_ok=True)
    file = RELEASED / f"{sys.argv[1]}.json"
    file.write_text(json.dumps(now(), indent=1) + "\n", encoding="utf-8")
