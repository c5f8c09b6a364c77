"""Models of the facade: `banyan`, which is whatever policy is live, and the policies by name."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from banyan.registry import Registry
from service.facade.requests import MODEL


class Model(BaseModel):
    """One name that `model` may have."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: Literal["banyan"] = "banyan"


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[Model]


def models(names: tuple[str, ...], registry: Registry) -> ModelList:
    """`banyan`, the listed policies, and the versions of them that are in service."""
    created = {one.version: int(one.changed_at) for one in registry.versions.values()}
    versions = [
        version
        for line in registry.lines.values()
        for version in (line.live, line.canary)
        if version is not None
    ]
    known = dict.fromkeys([MODEL, *names, *versions])
    return ModelList(data=[Model(id=name, created=created.get(name, 0)) for name in known])
