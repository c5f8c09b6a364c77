"""Turns a CustomResourceDefinition into the strict JSON Schema of one of its versions.

    python tests/deploy/schemas/from_crd.py CRD.yaml VERSION > kind.json

Descriptions and rules in CEL are left out; properties that are not named are forbidden, as the API
server would drop them without a word.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

_LEFT_OUT = frozenset({"description", "example", "externalDocs", "default"})


def strict(schema: dict[str, Any], *, named: bool = False) -> dict[str, Any]:
    """`schema` as JSON Schema. `named`: its keys are names of properties, and no keywords."""
    if named:
        return {name: strict(value) for name, value in schema.items()}
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _LEFT_OUT or key.startswith("x-kubernetes-") or key in {"format", "nullable"}:
            continue
        if key == "pattern":  # Go takes a flag anywhere, Python at the start alone
            made[key] = value.replace("^(?i)", "(?i)^")
        elif key == "properties":
            made[key] = strict(value, named=True)
        elif isinstance(value, dict):
            made[key] = strict(value)
        elif key in {"allOf", "anyOf", "oneOf"}:
            made[key] = [strict(part) for part in value]
        else:
            made[key] = value
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
        made["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if schema.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    is_open = schema.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in made and "additionalProperties" not in made and not is_open:
        made["additionalProperties"] = False
    return made


def schema_of(crd: dict[str, Any], version: str) -> dict[str, Any]:
    """The schema of `version`; metadata is that of any object."""
    [found] = [one for one in crd["spec"]["versions"] if one["name"] == version]
    schema = strict(found["schema"]["openAPIV3Schema"])
    schema["properties"]["apiVersion"] = {"const": f"{crd['spec']['group']}/{version}"}
    schema["properties"]["kind"] = {"const": crd["spec"]["names"]["kind"]}
    schema["properties"].pop("status", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


if __name__ == "__main__":
    definition = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps(schema_of(definition, sys.argv[2]), separators=(",", ":")) + "\n")
