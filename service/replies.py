"""Replies: a tree's record as the answer to a call about one solve, with its headers."""

from __future__ import annotations

from fastapi import Response

from banyan.tree import FINAL, TreeRecord
from service.dependencies import Ports
from service.preferences import Preference
from service.results import etag_of, result_of

RETRY_AFTER_S = 1


async def reply(
    record: TreeRecord, *, status: int, preference: Preference, ports: Ports
) -> Response:
    """Its result or how it stands; while it runs, with when to ask again."""
    headers = {"ETag": etag_of(record)}
    if record.status not in FINAL:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if preference.applied:
        headers["Preference-Applied"] = preference.applied
    result = await result_of(record, ports.store, ports.library)
    return Response(
        result.model_dump_json(), status_code=status, headers=headers, media_type="application/json"
    )


async def reply_under_way(record: TreeRecord, *, preference: Preference, ports: Ports) -> Response:
    """200 where it has finished, else 202; with the Location of the solve in any case."""
    status = 200 if record.status in FINAL else 202
    made = await reply(record, status=status, preference=preference, ports=ports)
    made.headers["Location"] = f"/solve/{record.id}"
    return made
