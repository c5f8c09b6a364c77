"""POST /solve, GET /solve/{id}, POST /solve/{id}/cancel: start, read and cancel a tree."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from banyan.client.results import SolveResult
from service import streaming
from service.admission import admit
from service.conditional import IfNoneMatch, is_kept
from service.dependencies import MeterOf, OwnedTree, PortsOf
from service.preferences import EVENT_STREAM, Preference, parse_prefer, wants_events
from service.problems import documented
from service.replies import reply, reply_under_way
from service.results import etag_of
from service.schemas import SolveRequest
from service.waiting import wait_finished

router = APIRouter(tags=["solve"])
one = APIRouter(prefix="/solve/{id}")

PreferHeader = Annotated[
    str | None,
    Header(description="`wait=N`: up to N seconds for the result. `respond-async`: at once."),
]

_REPLIES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Finished; as an event stream: under way.",
        "model": SolveResult,
        "content": {EVENT_STREAM: streaming.EVENTS_DESCRIBED},
    },
    202: {"description": "Accepted and not finished yet; see Location.", "model": SolveResult},
}


@router.post(
    "/solve",
    summary="Solve a goal over documents",
    response_model=SolveResult,
    responses={**_REPLIES, **documented(400, 409, 410, 413, 422, 429, 503)},
)
async def start(
    *,
    body: SolveRequest,
    request: Request,
    ports: PortsOf,
    meter: MeterOf,
    prefer: PreferHeader = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    idempotency_key: Annotated[
        str | None,
        Header(description="The same key and body find the same solve again, while it is kept."),
    ] = None,
) -> Response:
    """Starts a tree and waits for it: 60 s by default, then 202 with the Location to look at.

    With `Accept: text/event-stream`, the events of the tree as they happen, pieces of the answer
    (`answer.delta`) included, and its result at the end.
    """
    settings = ports.settings
    preference = parse_prefer(prefer, default_s=settings.default_wait_s, settings=settings)
    record = await admit(body, idempotency_key=idempotency_key, meter=meter, ports=ports)
    request.state.tree_id = record.id
    if wants_events(accept):
        location = {"Location": f"/solve/{record.id}"}
        return streaming.respond(record, after=0, ports=ports, headers=location)
    record = await wait_finished(record, preference.wait_s, request=request, ports=ports)
    return await reply_under_way(record, preference=preference, ports=ports)


@one.get(
    "",
    summary="Read a solve",
    response_model=SolveResult,
    responses={304: {"description": "As the ETag says"}, **documented(400, 404, 422, 503)},
)
async def read(
    tree: OwnedTree,
    request: Request,
    ports: PortsOf,
    prefer: PreferHeader = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Its state, and once finished its answer. `Prefer: wait=N` waits up to N seconds for that."""
    preference = parse_prefer(prefer, default_s=0.0, settings=ports.settings)
    tree = await wait_finished(tree, preference.wait_s, request=request, ports=ports)
    if is_kept(etag_of(tree), if_none_match):
        return Response(status_code=304, headers={"ETag": etag_of(tree)})
    return await reply(tree, status=200, preference=preference, ports=ports)


@one.post(
    "/cancel",
    summary="Cancel a solve",
    response_model=SolveResult,
    responses=documented(404, 422, 503),
)
async def cancel(tree: OwnedTree, ports: PortsOf) -> Response:
    """Ends what is not finished. Repeating it, or cancelling what is finished, changes nothing."""
    await ports.store.cancel(tree.id)
    tree = await ports.store.get_tree(tree.id)
    return await reply(tree, status=200, preference=Preference(0.0), ports=ports)


router.include_router(one)
