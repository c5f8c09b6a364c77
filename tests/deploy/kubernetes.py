"""What Kubernetes takes, version by version: the strict schemas that `kubernetes-validate` carries.

That package's own command reads all definitions (2 MB) anew for each manifest. Here once.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.deploy.helm import Manifest

_FOLDER = "lib/python*/site-packages/kubernetes_validate/kubernetes-json-schema"
_DEFINITIONS = "_definitions.json"
_DEFINITIONS_URI = f"/api/{_DEFINITIONS}"
_GROUP = re.compile(r"^([^./]*)(?:\.[^/]*)?/")


class Kubernetes:
    """One version, such as 1.37.0. `prefix` is the environment that has the schemas."""

    def __init__(self, prefix: Path, version: str) -> None:
        [folder] = prefix.glob(f"{_FOLDER}/v{version}-local-strict")
        self._folder = folder
        definitions = Resource.from_contents(self._read(_DEFINITIONS), DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(_DEFINITIONS_URI, definitions)
        self._validator = cache(self._make)

    def problems(self, manifest: Manifest) -> list[str]:
        """What is wrong, each with its place. Raises FileNotFoundError for a kind it has not."""
        group = _GROUP.sub(r"\1-", manifest["apiVersion"])
        validator = self._validator(f"{manifest['kind'].lower()}-{group}.json")
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]

    def _make(self, name: str) -> Draft202012Validator:
        return Draft202012Validator(self._read(name), registry=self._registry)

    def _read(self, name: str) -> Any:
        return json.loads((self._folder / name).read_text(encoding="utf-8"))
