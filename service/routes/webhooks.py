"""GET /webhooks/secret, POST /webhooks/secret/rotate: what a tenant's webhooks are signed by."""

from __future__ import annotations

import time

import structlog
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from banyan.signing import SigningSecrets
from service.dependencies import CallerOf, PortsOf
from service.problems import documented

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
log = structlog.get_logger("banyan.service")


class Secret(BaseModel):
    """What receivers check signatures with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: str = Field(repr=False, description="As Standard Webhooks has it: `whsec_` and base64.")
    previous_until: float | None = Field(
        description="Unix seconds until which the secret before this one signs too."
    )


@router.get("/secret", summary="Read the signing secret", responses=documented(503))
async def read(ports: PortsOf, caller: CallerOf, response: Response) -> Secret:
    """The tenant's own; it is made at the first look, or when the first webhook is sent."""
    response.headers["Cache-Control"] = "no-store"
    return _shown(await ports.access.signing(caller.tenant))


@router.post("/secret/rotate", summary="Replace the signing secret", responses=documented(503))
async def rotate(ports: PortsOf, caller: CallerOf, response: Response) -> Secret:
    """The old one signs beside the new one for 24 hours; rotated twice, the first is gone."""
    secrets = await ports.access.rotate(caller.tenant, time.time())
    log.info("signing_secret.rotated", tenant=caller.tenant, by=caller.by)
    response.headers["Cache-Control"] = "no-store"
    return _shown(secrets)


def _shown(secrets: SigningSecrets) -> Secret:
    is_over = time.time() >= secrets.previous_until
    return Secret(
        secret=secrets.current, previous_until=None if is_over else secrets.previous_until
    )
