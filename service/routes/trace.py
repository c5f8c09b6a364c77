"""GET /solve/{id}/trace: when each node ran and waited, as Chrome trace JSON, streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from banyan.ports import Store
from banyan.trace import Entry, Tracer
from banyan.tree import TreeRecord
from service.dependencies import OwnedTree, PortsOf
from service.problems import documented
from service.streaming import check_kept
from service.waiting import closing

_CHUNK_BYTES = 64 * 1024

router = APIRouter(prefix="/solve/{id}", tags=["tree"])

_TRACE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An object with `traceEvents`; times are microseconds since admission.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.get(
    "/trace",
    summary="Trace a solve",
    response_class=StreamingResponse,
    responses={**_TRACE, **documented(404, 410, 422, 503)},
)
async def trace(tree: OwnedTree, ports: PortsOf) -> StreamingResponse:
    """Open it in Perfetto: a lane a slot, queue time apart, arrows from parents to children.

    Of a solve that runs, what has happened so far.
    """
    check_kept(tree, 0)
    return StreamingResponse(
        stream_of(tree, ports.store),
        media_type="application/json",
        headers={"Content-Disposition": f'inline; filename="{tree.id}.trace.json"'},
    )


async def stream_of(tree: TreeRecord, store: Store) -> AsyncIterator[bytes]:
    """The trace as JSON, in pieces of about 64 KiB."""
    about = {"solve": tree.id, "status": tree.status, "started_at": tree.created_at}
    buffer = bytearray(b'{"displayTimeUnit":"ms","otherData":' + msgspec.json.encode(about))
    buffer += b',"traceEvents":['
    separator = b""
    async with aclosing(_entries(tree, store)) as entries:
        async for entry in entries:
            buffer += separator + msgspec.json.encode(entry)
            separator = b",\n"
            if len(buffer) >= _CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
    yield bytes(buffer + b"]}")


async def _entries(tree: TreeRecord, store: Store) -> AsyncGenerator[Entry]:
    tracer = Tracer(tree.created_at)
    at = tree.created_at
    for entry in tracer.opening():
        yield entry
    async with closing(store.events(tree.id)) as events:
        async for event in events:
            at = event.at
            for entry in tracer.feed(event):
                yield entry
            if event.seq >= tree.last_event:
                break
    for entry in tracer.closing(at):
        yield entry
