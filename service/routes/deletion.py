"""DELETE /solve/{id}: forget a finished solve."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from banyan.errors import Conflict, NotFound
from banyan.tree import is_tree_id, shard_of
from service.dependencies import PortsOf, Tenant
from service.problems import documented, still_running

router = APIRouter(tags=["solve"])


@router.delete(
    "/solve/{id}",
    summary="Delete a solve",
    status_code=204,
    response_class=Response,
    responses=documented(404, 409, 422, 503),
)
async def delete(
    id: Annotated[str, Path(description="A solve's id.")],  # noqa: A002  # named as in the path
    request: Request,
    ports: PortsOf,
    tenant: Tenant,
) -> None:
    """Its nodes, states, turns, events and answer go. What is gone already is 204 too.

    Texts that it derived from results of its parts go within a minute.

    A running solve is refused: cancel it first. Documents stay, since other solves may use them.
    """
    if not is_tree_id(id) or shard_of(id) >= ports.settings.num_shards:
        raise NotFound("this is no solve's id")
    request.state.tree_id = id
    try:
        await ports.store.delete(id, tenant)
    except Conflict as error:
        raise still_running("Cancel it first, with POST /solve/{id}/cancel.") from error
