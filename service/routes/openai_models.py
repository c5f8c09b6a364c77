"""GET /v1/models, GET /v1/models/{model}: the names that `model` may have."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from banyan.errors import NotFound
from service.dependencies import PortsOf
from service.facade.errors import documented
from service.facade.models import Model, ModelList, models

router = APIRouter()


@router.get("/models", summary="List models (OpenAI)", responses=documented(503))
async def read_all(ports: PortsOf) -> ModelList:
    """`banyan` is the live policy; the others are policies, and versions that are in service."""
    return models(ports.policy_names, await ports.versions.load())


@router.get(
    "/models/{model}", summary="Read about a model (OpenAI)", responses=documented(400, 404, 503)
)
async def read(model: Annotated[str, Path(max_length=64)], ports: PortsOf) -> Model:
    """One of them."""
    for one in models(ports.policy_names, await ports.versions.load()).data:
        if one.id == model:
            return one
    raise NotFound("there is no model of this name", hint="GET /v1/models lists those that are.")
