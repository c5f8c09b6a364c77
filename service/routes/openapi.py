"""GET /openapi.json: what this service can be asked, for programs."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.conditional import IfNoneMatch, is_kept
from service.openapi_page import OpenApiPage

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def read(request: Request, if_none_match: IfNoneMatch = None) -> Response:
    """The OpenAPI document; 304 as the ETag says."""
    kept = request.app.state.openapi
    if not isinstance(kept, OpenApiPage):
        raise TypeError("the application was not made by create_app")
    page = await kept.page()
    headers = {"ETag": page.etag, "Cache-Control": "no-cache"}
    if is_kept(page.etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(page.body, headers=headers, media_type="application/json")
