"""POST /v1/chat/completions: a conversation as a solve, its answer as a completion."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from service.dependencies import MeterOf, PortsOf
from service.facade.chat_reply import ChatCompletion, Chunks, completion
from service.facade.chat_request import ChatRequest
from service.facade.chat_stream import chat_stream
from service.facade.errors import documented
from service.facade.failed import unanswered
from service.facade.frames import stream
from service.facade.starting import Caller, finished, start
from service.facade.stops import Stops
from service.preferences import EVENT_STREAM
from service.results import result_of

router = APIRouter()

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The completion; with `stream`, its chunks.",
        "model": ChatCompletion,
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/chat/completions",
    summary="Complete a chat (OpenAI)",
    response_model=ChatCompletion,
    responses={**_STREAM, **documented(400, 404, 409, 413, 429, 500, 503, 504)},
)
async def complete(
    body: ChatRequest,
    request: Request,
    ports: PortsOf,
    meter: MeterOf,
    idempotency_key: Annotated[
        str | None, Header(description="The same key and body find the same solve again.")
    ] = None,
) -> Response:
    """Long texts of the user become documents; the last message is what is asked of them.

    A caller that hangs up ends the solve, unless it sent an Idempotency-Key.
    """
    caller = Caller(request, ports, meter, idempotency_key)
    record = await start(
        body,
        [message.said() for message in body.messages],
        caller,
        answer_schema=body.answer_schema,
        answer_tokens=body.answer_tokens,
        facts={},
    )
    stops = Stops(body.stops)
    if body.stream:
        with_usage = body.stream_options is not None and body.stream_options.include_usage
        chunks = Chunks(record, body.model, with_usage=with_usage)
        keep = idempotency_key is not None
        return stream(chat_stream(record, chunks, stops, ports, keep=keep))
    record = await finished(record, caller)
    result = await result_of(record, ports.store, ports.library)
    if result.status in {"failed", "cancelled"}:
        raise unanswered(result)
    reply = completion(record, result, body.model, stops)
    return Response(reply.model_dump_json(), media_type="application/json")
