"""GET /documents/{id}/text: the text that spans and citations refer to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response, StreamingResponse

from banyan.errors import NotFound
from banyan.ports import Library
from banyan.spans import Span
from service.conditional import IfNoneMatch, is_kept
from service.dependencies import PortsOf, Tenant
from service.problems import Refused, documented

_BLOCK_CHARS = 64 * 1024

router = APIRouter(tags=["documents"])

_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The text.", "content": {"text/plain": {"schema": {"type": "string"}}}},
    304: {"description": "As the ETag says"},
}


@router.get(
    "/documents/{id}/text",
    summary="Read a document's text",
    response_class=StreamingResponse,
    responses={**_TEXT, **documented(404, 422, 503)},
)
async def read(
    *,
    id: Annotated[str, Path(max_length=128)],  # noqa: A002  # named as in the path
    ports: PortsOf,
    tenant: Tenant,
    start: Annotated[int, Query(ge=0, description="Code point to begin with.")] = 0,
    end: Annotated[
        int | None, Query(ge=0, description="Code point to end before; null: to the end.")
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """In UTF-8, as it was stored. `start` and `end` count as spans of citations do."""
    info = await ports.library.info(tenant, id)
    if info.derived:
        raise NotFound("there is no document with this id")
    end = info.num_chars if end is None else end
    if not start <= end <= info.num_chars:
        raise Refused(
            f"query.end: start and end must be in order, and at most {info.num_chars}.",
            code="invalid_input",
            hint="Leave them out to read all of it.",
            field="query.end",
        )
    headers = {"ETag": f'"{id}-{start}-{end}"', "Cache-Control": "private, no-cache"}
    if is_kept(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    return StreamingResponse(
        _blocks(ports.library, tenant, Span(document=id, start=start, end=end)),
        media_type="text/plain; charset=utf-8",
        headers={**headers, "X-Content-Type-Options": "nosniff"},
    )


async def _blocks(library: Library, tenant: str, span: Span) -> AsyncIterator[bytes]:
    for start in range(span.start, span.end, _BLOCK_CHARS):
        block = span.model_copy(update={"start": start, "end": min(span.end, start + _BLOCK_CHARS)})
        yield (await library.text(tenant, block)).encode()
