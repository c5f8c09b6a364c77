"""GET /healthz and /readyz: probes."""

from __future__ import annotations

from fastapi import APIRouter

from service.dependencies import PortsOf
from service.problems import documented
from service.schemas import Health, Ready

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is the process up?")
async def healthz() -> Health:
    """Asks nobody: a store that is away is no reason to restart the service."""
    return Health()


@router.get(
    "/readyz",
    summary="Can it take requests?",
    responses=documented(503),
    response_model_exclude_none=True,
)
async def readyz(ports: PortsOf) -> Ready:
    """Asks the state store; and tells which of the listed policies have a model server."""
    await ports.store.ping()
    return Ready(engines=await ports.engines.states() or None)
