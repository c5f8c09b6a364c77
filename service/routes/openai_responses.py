"""POST /v1/responses, and to read, stream again and cancel one: a response is a solve."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from banyan.errors import NotFound
from banyan.tree import TreeRecord
from service.dependencies import MeterOf, Ports, PortsOf, Tenant, owned_tree
from service.facade.errors import documented
from service.facade.frames import stream
from service.facade.responses_reply import ResponseReply, response, tree_id_of
from service.facade.responses_request import ResponsesRequest
from service.facade.responses_stream import response_stream
from service.facade.starting import Caller, finished, start
from service.preferences import EVENT_STREAM
from service.results import result_of

router = APIRouter(prefix="/responses")
one = APIRouter(prefix="/{id}")

_REPLY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The response; with `stream`, its events.",
        "model": ResponseReply,
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}


async def owned_response(
    request: Request,
    id: Annotated[str, Path(description="A response's id.", max_length=128)],  # noqa: A002
    ports: PortsOf,
    tenant: Tenant,
) -> TreeRecord:
    """The tenant's tree behind this response. Raises NotFound for others' too."""
    try:
        return await owned_tree(request, tree_id_of(id), ports, tenant)
    except NotFound:
        raise NotFound("there is no response with this id") from None


OwnedResponse = Annotated[TreeRecord, Depends(owned_response)]


@router.post(
    "",
    summary="Make a response (OpenAI)",
    response_model=ResponseReply,
    responses={**_REPLY, **documented(400, 404, 409, 413, 429, 503, 504)},
)
async def create(
    body: ResponsesRequest,
    request: Request,
    ports: PortsOf,
    meter: MeterOf,
    idempotency_key: Annotated[
        str | None, Header(description="The same key and body find the same solve again.")
    ] = None,
) -> Response:
    """As chat completions; with `background`, the reply comes at once and is read again later.

    A caller that hangs up ends the solve, unless it is a background one or has an Idempotency-Key.
    """
    caller = Caller(request, ports, meter, idempotency_key)
    background = bool(body.background)
    record = await start(
        body,
        body.turns(),
        caller,
        answer_schema=body.answer_schema,
        answer_tokens=body.max_output_tokens,
        facts={"background": background},
    )
    if body.stream:
        keep = background or idempotency_key is not None
        return stream(response_stream(record, ports, after=-1, keep=keep))
    if not background:
        record = await finished(record, caller)
    return await _reply(record, ports)


@one.get(
    "",
    summary="Read a response (OpenAI)",
    response_model=ResponseReply,
    responses={**_REPLY, **documented(400, 404, 503)},
)
async def read(
    tree: OwnedResponse,
    ports: PortsOf,
    stream_it: Annotated[bool, Query(alias="stream")] = False,  # noqa: FBT002  # a query parameter
    starting_after: Annotated[int, Query(ge=-1, description="A `sequence_number`.")] = -1,
) -> Response:
    """How it stands, or its events again: all, or those behind `starting_after`."""
    if stream_it:
        return stream(response_stream(tree, ports, after=starting_after, keep=True))
    return await _reply(tree, ports)


@one.post(
    "/cancel",
    summary="Cancel a response (OpenAI)",
    response_model=ResponseReply,
    responses=documented(400, 404, 503),
)
async def cancel(tree: OwnedResponse, ports: PortsOf) -> Response:
    """Ends what is not finished, whether in the background or not; repeating it changes nothing."""
    await ports.store.cancel(tree.id)
    return await _reply(await ports.store.get_tree(tree.id), ports)


async def _reply(record: TreeRecord, ports: Ports) -> Response:
    result = await result_of(record, ports.store, ports.library)
    return Response(response(record, result).model_dump_json(), media_type="application/json")


router.include_router(one)
