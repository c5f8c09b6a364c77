"""GET / and the pages below it, and /assets: the web page. Its data comes from the other routes.

The files are the same for everyone and hold no data, so that nobody is asked for a key here.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from banyan.errors import NotFound
from service.conditional import IfNoneMatch, is_kept
from service.web_assets import HEADERS, PAGE, Asset, load

router = APIRouter(include_in_schema=False)

_ASSETS = load()


@router.get("/")
@router.get("/solves/{id}")
@router.get("/compare")
@router.get("/docs")
async def page(if_none_match: IfNoneMatch = None) -> Response:
    """One file for all pages: its script looks at the address."""
    return _sent(_ASSETS[PAGE], if_none_match)


@router.get("/assets/{path:path}")
async def asset(path: Annotated[str, Path()], if_none_match: IfNoneMatch = None) -> Response:
    """A script, a style sheet or an image."""
    found = _ASSETS.get(path)
    if found is None:
        raise NotFound("there is no such file")
    return _sent(found, if_none_match)


def _sent(found: Asset, if_none_match: str | None) -> Response:
    headers = {**HEADERS, "ETag": found.etag}
    if is_kept(found.etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(found.body, headers=headers, media_type=found.media_type)
