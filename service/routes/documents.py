"""POST /documents, GET and DELETE /documents/{id}: kept as text, and referred to by id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.requests import ClientDisconnect

from banyan.client.results import Document, Uploaded
from banyan.errors import NotFound, UnsupportedMediaType
from banyan.ports import DocumentInfo
from service.dependencies import PortsOf, Tenant
from service.problems import Refused, documented

MAX_TITLE_CHARS = 256

router = APIRouter(tags=["documents"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string"}}
            for media_type in ("text/plain", "text/markdown", "text/html")
        }
        | {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in ("application/pdf", "application/octet-stream")
        },
    }
}


@router.post(
    "/documents",
    summary="Upload a document",
    status_code=201,
    responses=documented(400, 413, 415, 422, 503),
    openapi_extra=_BODY,
)
async def upload(
    *,
    request: Request,
    ports: PortsOf,
    tenant: Tenant,
    title: Annotated[str | None, Query(min_length=1, max_length=MAX_TITLE_CHARS)] = None,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    content_encoding: Annotated[str, Header(include_in_schema=False)] = "identity",
) -> Uploaded:
    """The body is the document. The same text gives the same id, however often it is sent.

    Text and Markdown are kept as they are, in UTF-8; other encodings are named by `charset`, or
    told from the text. HTML becomes Markdown, and PDF the text of its pages.
    `application/octet-stream` is taken for what its first bytes say.
    """
    if content_encoding.strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType("the body is compressed", hint="Send it without compression.")
    async with ports.uploads.incoming(_chunks(request), content_type) as incoming:
        info = await ports.library.put(tenant, incoming.text, title=title)
    source = asdict(incoming.source)
    return Uploaded(**_shown(info).model_dump(), **source)


@router.get("/documents/{id}", summary="Read about a document", responses=documented(404, 422, 503))
async def read(
    id: Annotated[str, Path(max_length=128)],  # noqa: A002  # named as in the path
    ports: PortsOf,
    tenant: Tenant,
) -> Document:
    """How large it is. Its text is at `/documents/{id}/text`."""
    info = await ports.library.info(tenant, id)
    if info.derived:
        raise NotFound("there is no document with this id")
    return _shown(info)


@router.delete(
    "/documents/{id}",
    summary="Delete a document",
    status_code=204,
    response_class=Response,
    responses=documented(404, 422, 503),
)
async def delete(
    id: Annotated[str, Path(max_length=128)],  # noqa: A002  # named as in the path
    ports: PortsOf,
    tenant: Tenant,
) -> None:
    """Its text goes, for every solve that refers to it. What is gone already is 204 too.

    Solves that still read it go on without it: what has not been read by then fails with
    `not_found`. Answers and citations of finished solves stay, with what they quote.
    """
    await ports.library.remove(tenant, id)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        # Nobody reads this reply; it ends the upload without storing half of a document.
        raise Refused(
            "The upload broke off.", code="upload_broken", hint="Send it again.", status=400
        ) from error


def _shown(info: DocumentInfo) -> Document:
    return Document(
        id=info.id, num_chars=info.num_chars, num_bytes=info.num_bytes, title=info.title
    )
