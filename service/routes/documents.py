"""POST /documents, GET /documents/{id}: texts are stored once and referred to by id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.requests import ClientDisconnect

from banyan.client.results import Document
from banyan.errors import NotFound
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
            for media_type in ("text/plain", "text/markdown", "application/octet-stream")
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
    request: Request,
    ports: PortsOf,
    tenant: Tenant,
    title: Annotated[str | None, Query(min_length=1, max_length=MAX_TITLE_CHARS)] = None,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> Document:
    """The body is the text, in UTF-8. The same text gives the same id, however often it is sent."""
    _check_content_type(content_type)
    return _shown(await ports.library.put(tenant, _chunks(request), title=title))


@router.get("/documents/{id}", summary="Read about a document", responses=documented(404, 422, 503))
async def read(
    id: Annotated[str, Path(max_length=128)],  # noqa: A002  # named as in the path
    ports: PortsOf,
    tenant: Tenant,
) -> Document:
    """How large it is. The text itself is not sent back."""
    info = await ports.library.info(tenant, id)
    if info.derived:
        raise NotFound("there is no document with this id")
    return _shown(info)


def _check_content_type(header: str) -> None:
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    charsets = [part[8:].strip('"') for part in parameters if part.startswith("charset=")]
    is_text = media_type.startswith("text/") or media_type == "application/octet-stream"
    if not is_text or any(charset not in {"utf-8", "utf8", "us-ascii"} for charset in charsets):
        raise Refused(
            "A document is sent as text in UTF-8.",
            code="unsupported_media_type",
            hint="Extract the text, and send it as `text/plain; charset=utf-8`.",
            status=415,
        )


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
