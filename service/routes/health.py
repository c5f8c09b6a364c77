"""GET /healthz and /readyz: probes."""

from __future__ import annotations

from fastapi import APIRouter

from service.dependencies import PortsOf
from service.problems import documented
from service.schemas import Health

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is the process up?")
async def healthz() -> Health:
    """Asks nobody: a store that is away is no reason to restart the service."""
    return Health()


@router.get("/readyz", summary="Can it take requests?", responses=documented(503))
async def readyz(ports: PortsOf) -> Health:
    """Asks the state store."""
    await ports.store.ping()
    return Health()
