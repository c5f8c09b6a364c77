"""GET /solve/{id}/events, /tree and /nodes/{node}: look into a tree while it grows and after."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import StreamingResponse

from banyan.client.results import NodeDetail, NodeSummary, TreePage
from service import cursors, streaming
from service.dependencies import OwnedTree, PortsOf
from service.nodes import detail_of, summary_of
from service.preferences import EVENT_STREAM
from service.problems import documented
from service.routes.feedback import NODE_PATTERN
from service.routes.listing import MAX_CURSOR_CHARS

MAX_PAGE = 1_000
AT_ONE_TIME = 125
"""Nodes that are made ready in one go: nothing else is done on the event loop meanwhile."""

router = APIRouter(prefix="/solve/{id}", tags=["tree"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events; `id` is the sequence number, the last one is `result`.",
        "content": {EVENT_STREAM: streaming.EVENTS_DESCRIBED},
    }
}


@router.get(
    "/events",
    summary="Follow a solve",
    response_class=StreamingResponse,
    responses={**_STREAM, **documented(400, 404, 410, 422, 503)},
)
async def events(
    tree: OwnedTree,
    ports: PortsOf,
    last_event_id: Annotated[
        str | None, Header(description="Go on behind the event with this id.")
    ] = None,
) -> StreamingResponse:
    """All events from the first, or from behind `Last-Event-ID`, without gap or repeat."""
    after = streaming.parse_last_event_id(last_event_id)
    return streaming.respond(tree, after=after, ports=ports)


@router.get(
    "/tree",
    summary="Page through a tree",
    responses=documented(404, 422, 503),
)
async def nodes(
    tree: OwnedTree,
    ports: PortsOf,
    cursor: Annotated[
        str | None, Query(max_length=MAX_CURSOR_CHARS, description="`next` of the page before.")
    ] = None,
    offset: Annotated[
        int, Query(ge=0, le=10_000_000, description="To jump; `cursor` goes before it.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> TreePage:
    """Its nodes in the order of their creation; the root is the first, new ones come at the end."""
    if cursor is not None:
        offset = int(cursors.decode(cursor, cursors.OFFSET))
    records, total = await ports.store.list_nodes(tree.id, offset=offset, limit=limit)
    behind = offset + limit
    found: list[NodeSummary] = []
    for start in range(0, len(records), AT_ONE_TIME):
        found += map(summary_of, records[start : start + AT_ONE_TIME])
        await asyncio.sleep(0)
    return TreePage(
        id=tree.id,
        total=total,
        offset=offset,
        limit=limit,
        nodes=tuple(found),
        next=cursors.encode(str(behind)) if behind < total else None,
    )


@router.get(
    "/nodes/{node}",
    summary="Look at one node",
    responses=documented(404, 422, 503),
)
async def node(
    tree: OwnedTree,
    ports: PortsOf,
    node: Annotated[str, Path(pattern=NODE_PATTERN, description="Its path, such as `0.3`.")],
) -> NodeDetail:
    """What it was asked, every prompt and action with its decision, and what came of it."""
    return detail_of(await ports.store.get_node(tree.id, node))
