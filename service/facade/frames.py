"""Frames: how the facade's streams stand on the wire, and how they end where something fails."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio
import structlog
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from banyan.errors import BanyanError
from banyan.ports import Store
from banyan.tree import FINAL
from service.facade.errors import ErrorDetail
from service.preferences import EVENT_STREAM
from service.problems import Refused
from service.streaming import HEADERS

DONE = format_sse_event(data_str="[DONE]")

log = structlog.get_logger("banyan.service")


def frame(data: Mapping[str, Any], event: str | None = None) -> bytes:
    """One event with JSON as its data."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return format_sse_event(event=event, data_str=text)


def stream(frames: AsyncIterator[bytes]) -> StreamingResponse:
    """The frames as a reply."""
    return StreamingResponse(frames, media_type=EVENT_STREAM, headers=HEADERS)


def error_detail(error: BanyanError) -> ErrorDetail:
    """An error in the middle of a stream. Details of what is behind the service stay in its log."""
    if isinstance(error, Refused):
        message, code = f"{error} {error.hint}", error.code
    else:
        log.error("stream.failed", error=type(error).__name__)
        message, code = "What the service depends on does not answer.", error.code
    return ErrorDetail(message=message, type="server_error", code=code)


async def cancel_unfinished(store: Store, tree_id: str) -> None:
    """Cancel what nobody waits for any more, although the stream itself is being cancelled."""
    with anyio.CancelScope(shield=True):
        if (await store.get_tree(tree_id)).status not in FINAL:
            await store.cancel(tree_id)
