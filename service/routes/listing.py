"""GET /solve: a tenant's solves, newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from banyan.client.listing import SolvePage, SolveSummary
from banyan.state import unpack
from banyan.task import Task
from banyan.tree import TreeRecord, TreeStatus
from service import cursors
from service.dependencies import PortsOf, Tenant
from service.problems import documented
from service.results import usage_of

MAX_PAGE = 100
MAX_GOAL_CHARS = 200
MAX_CURSOR_CHARS = 128

router = APIRouter(tags=["solve"])


@router.get("/solve", summary="List solves", responses=documented(422, 503))
async def read_all(
    ports: PortsOf,
    tenant: Tenant,
    status: Annotated[TreeStatus | None, Query(description="Those with this status only.")] = None,
    cursor: Annotated[
        str | None, Query(max_length=MAX_CURSOR_CHARS, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> SolvePage:
    """Newest first. What comes meanwhile does not shift the pages behind a cursor."""
    after = None if cursor is None else cursors.decode(cursor, cursors.LIST_PLACE)
    page = await ports.store.list_trees(tenant, status=status, after=after, limit=limit)
    return SolvePage(
        solves=tuple(_summary_of(record) for record in page.trees),
        next=None if page.next is None else cursors.encode(page.next),
    )


def _summary_of(record: TreeRecord) -> SolveSummary:
    task = unpack(record.task, Task)
    return SolveSummary(
        id=record.id,
        status=record.status,
        goal=task.goal[:MAX_GOAL_CHARS],
        policy=task.policy,
        created_at=record.created_at,
        deadline_at=record.deadline_at,
        finished_at=record.finished_at,
        generation=record.generation,
        usage=usage_of(record.usage),
        metadata=task.metadata,
    )
