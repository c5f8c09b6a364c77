"""GET and POST /keys, POST /keys/{prefix}/revoke: API keys of all tenants, for administrators."""

from __future__ import annotations

import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from banyan.access import PREFIX_PATTERN, TENANT_PATTERN, ApiKey, Scope, mint
from banyan.client.keys import KeyInfo, KeyList, NewKey
from banyan.json_values import check_text
from service.dependencies import CallerOf, PortsOf
from service.problems import documented

router = APIRouter(prefix="/keys", tags=["keys"])
log = structlog.get_logger("banyan.service")

Prefix = Annotated[str, Path(pattern=PREFIX_PATTERN, description="What a key begins with.")]
TenantName = Annotated[str, Field(pattern=TENANT_PATTERN)]


class KeyRequest(BaseModel):
    """Whose key, and what it opens."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"tenant": "acme", "name": "the web shop"}]},
    )

    tenant: TenantName = Field("default", description="Whose data the key opens.")
    scopes: tuple[Scope, ...] = Field(("solve", "documents"), min_length=1, max_length=8)
    name: str = Field("", max_length=100, description="For people: who or what uses it.")
    expires_in_s: float | None = Field(
        None, gt=0, le=3.2e9, description="Seconds from now; null: never."
    )


@router.post("", summary="Make a key", status_code=201, responses=documented(400, 413, 422, 503))
async def create(body: KeyRequest, ports: PortsOf, caller: CallerOf, response: Response) -> NewKey:
    """The reply has the key, this once: only its hash is kept. Repeating it makes another key."""
    check_text(body.name, "name")
    now = time.time()
    key, kept = mint(
        body.tenant,
        tuple(dict.fromkeys(body.scopes)),
        name=body.name,
        now=now,
        expires_at=None if body.expires_in_s is None else now + body.expires_in_s,
    )
    await ports.access.add(kept)
    log.info("key.created", prefix=kept.prefix, tenant=kept.tenant, by=caller.by)
    response.headers["Cache-Control"] = "no-store"
    return NewKey(**dict(_shown(kept)), key=key)


@router.get("", summary="List keys", responses=documented(422, 503))
async def read_all(
    ports: PortsOf,
    tenant: Annotated[
        str | None, Query(pattern=TENANT_PATTERN, description="Only this tenant's.")
    ] = None,
) -> KeyList:
    """Prefixes, tenants and scopes, oldest first; never a key."""
    return KeyList(keys=tuple(_shown(key) for key in await ports.access.keys(tenant)))


@router.post("/{prefix}/revoke", summary="Revoke a key", responses=documented(404, 422, 503))
async def revoke(prefix: Prefix, ports: PortsOf, caller: CallerOf) -> KeyInfo:
    """The key opens nothing from now on, for good. Repeating it changes nothing."""
    kept = await ports.access.revoke(prefix, time.time())
    log.info("key.revoked", prefix=prefix, tenant=kept.tenant, by=caller.by)
    return _shown(kept)


def _shown(key: ApiKey) -> KeyInfo:
    return KeyInfo.model_validate(key.model_dump(exclude={"sha256"}))
