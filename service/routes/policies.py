"""GET and POST /policies, /policies/{v} and its promote, rollback and reject: served weights.

The service calls no model server: promoting says where a version shall go, and a worker loads it,
proves it and moves the pointer. Who may do this is what stands before the service; see running.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from banyan import moves
from banyan.adapters.publishing import change
from banyan.client.policies import PolicyDetail, PolicyList, PolicyVersion
from banyan.registry import Registry
from service.dependencies import Ports, PortsOf
from service.preferences import parse_prefer
from service.problems import documented
from service.versions import shown, shown_all

_POLL_S = 0.1
_CHANGES = documented(400, 404, 409, 422, 503)

router = APIRouter(prefix="/policies", tags=["policies"])

VersionName = Annotated[
    str, Path(pattern=r"^policy-v[1-9][0-9]{0,8}$", description="Such as `policy-v3`.")
]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Publication(_Body):
    """What to publish."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"directory": "incoming/run-7"}]})

    directory: str = Field(
        min_length=1,
        max_length=255,
        description="A directory in the service's folder of policies, relative to it.",
        examples=["incoming/run-7"],
    )


class Promotion(_Body):
    """Where a version shall go."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"share": 0.1}]})

    share: float = Field(
        1.0, gt=0, le=1, description="Of new solves; less than 1 makes it a canary."
    )


class Rejection(_Body):
    """Why a version shall never be served."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "It repeats itself."}]})

    reason: str = Field("by an operator", min_length=1, max_length=500)


@router.get("", summary="List policies and versions", responses=documented(503))
async def read_all(ports: PortsOf) -> PolicyList:
    """What is live, what is a canary, and every version that was ever published."""
    return shown_all(await ports.versions.load())


@router.post(
    "", summary="Publish weights", status_code=201, responses=documented(400, 404, 409, 422, 503)
)
async def publish(body: Publication, ports: PortsOf, response: Response) -> PolicyVersion:
    """Checks and copies the directory, and judges its evaluation: `verified`, or `rejected`.

    What is not whole, or of another base model, is refused, and nothing is stored.
    """
    registry, version = await ports.publisher.publish(body.directory)
    response.headers["Location"] = f"/policies/{version}"
    return shown(registry.version(version))


@router.get("/{version}", summary="Read about a version", responses=documented(404, 422, 503))
async def read(version: VersionName, ports: PortsOf) -> PolicyDetail:
    """Its state and its manifest."""
    registry = await ports.versions.load()
    known = shown(registry.version(version))
    return PolicyDetail(**dict(known), manifest=await ports.versions.store.manifest(version))


@router.post(
    "/{version}/promote",
    summary="Serve a version",
    response_model=PolicyVersion,
    responses={202: {"model": PolicyVersion}, **documented(400, 404, 409, 422, 503)},
)
async def promote(
    version: VersionName,
    ports: PortsOf,
    body: Promotion | None = None,
    prefer: Annotated[
        str | None, Header(description="`wait=N`: up to N seconds until it has moved.")
    ] = None,
) -> Response:
    """Waits until it is loaded and proved everywhere (200), or for as long as asked (202).

    A version that did not make it has `reasons`, and what was live before is live still.
    """
    settings = ports.settings
    preference = parse_prefer(prefer, default_s=settings.default_wait_s, settings=settings)
    share = body.share if body else 1.0
    registry = await change(ports.versions.store, lambda now: moves.want(now, version, share))
    registry = await _moved(registry, version, preference.wait_s, ports)
    known = shown(registry.version(version))
    headers = {"Preference-Applied": preference.applied} if preference.applied else {}
    return Response(
        known.model_dump_json(),
        status_code=202 if _is_moving(registry, version) else 200,
        headers=headers,
        media_type="application/json",
    )


@router.post("/{version}/rollback", summary="Take a version back", responses=_CHANGES)
async def roll_back(version: VersionName, ports: PortsOf) -> PolicyVersion:
    """At once: a canary ends, a live version gives way to the one before it, a move stops."""
    return await _change(ports, version, lambda now: moves.roll_back(now, version, time.time()))


@router.post("/{version}/reject", summary="Never serve a version", responses=_CHANGES)
async def reject(
    version: VersionName, ports: PortsOf, body: Rejection | None = None
) -> PolicyVersion:
    """For good. A version that is live must be rolled back first."""
    reasons = ((body or Rejection()).reason,)
    return await _change(
        ports, version, lambda now: moves.reject(now, version, reasons, time.time())
    )


async def _change(
    ports: Ports, version: str, next_of: Callable[[Registry], Registry]
) -> PolicyVersion:
    registry = await change(ports.versions.store, next_of)
    return shown(registry.version(version))


async def _moved(registry: Registry, version: str, wait_s: float, ports: Ports) -> Registry:
    """The registry when the version is no longer on its way, at the latest after `wait_s`."""
    clock = asyncio.get_running_loop().time
    give_up_at = clock() + wait_s
    while _is_moving(registry, version) and clock() < give_up_at and not ports.stopping.is_set():
        await asyncio.sleep(_POLL_S)
        registry = await ports.versions.load()
    return registry


def _is_moving(registry: Registry, version: str) -> bool:
    wanted = registry.line(registry.version(version).policy).wanted
    return wanted is not None and wanted.version == version
