"""Responses stream: a solve's events as the events of a response, from the first or behind one.

The numbers follow from the tree's own events, so that a stream which breaks goes on behind the last
one that was read. What is sent first shows the response as it was admitted.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from banyan.errors import BanyanError
from banyan.tree import FINAL, TreeRecord
from service.dependencies import Ports
from service.facade.answer_text import Growing, text_of
from service.facade.failed import unanswered
from service.facade.frames import cancel_unfinished, error_detail, frame
from service.facade.responses_reply import OutputText, ResponseReply, message_of, response
from service.results import result_of
from service.streaming import HEARTBEAT, events_of, sent_as

_LAST = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
    "cancelled": "response.failed",
}


class _Numbered:
    """Counts the events, and makes frames of those behind `after`; of others, nothing."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._next = itertools.count()

    def __call__(self, kind: str, **data: Any) -> bytes:
        number = next(self._next)
        if number <= self._after:
            return b""
        return frame({"type": kind, "sequence_number": number, **data}, kind)


async def response_stream(
    record: TreeRecord, ports: Ports, *, after: int, keep: bool
) -> AsyncIterator[bytes]:
    """Events with a number above `after`; -1 sends all.

    Unless `keep`, a solve whose reader leaves is cancelled; not where the service itself stops.
    """
    numbered = _Numbered(after)
    try:
        try:
            async for one in _events(record, ports, numbered):
                if one:
                    yield one
        except BanyanError as error:
            detail = error_detail(error)
            yield numbered("error", code=detail.code, message=detail.message, param=None)
    finally:
        if not keep and not ports.stopping.is_set():
            await cancel_unfinished(ports.store, record.id)


async def _events(record: TreeRecord, ports: Ports, numbered: _Numbered) -> AsyncIterator[bytes]:
    first = _as_admitted(response(record, await result_of(record, ports.store, ports.library)))
    message = message_of(record, "in_progress")
    place = {"item_id": message.id, "output_index": 0, "content_index": 0}
    yield numbered("response.created", response=_shown(first, "queued"))
    yield numbered("response.in_progress", response=_shown(first, "in_progress"))
    yield numbered("response.output_item.added", output_index=0, item=message.model_dump())
    part = OutputText(text="").model_dump()
    yield numbered("response.content_part.added", **place, part=part)
    growing = Growing()
    async with aclosing(events_of(record, 0, ports)) as events:
        async for event in events:
            if event is None:
                yield HEARTBEAT
            elif piece := growing.feed(sent_as(event)):
                yield numbered("response.output_text.delta", **place, delta=piece, logprobs=[])
    record = await ports.store.get_tree(record.id)
    if record.status not in FINAL:
        raise unanswered(None)
    result = await result_of(record, ports.store, ports.library)
    last = response(record, result)
    if last.output:
        text = text_of(result.answer)
        if piece := growing.close(text):
            yield numbered("response.output_text.delta", **place, delta=piece, logprobs=[])
        yield numbered("response.output_text.done", **place, text=text, logprobs=[])
        part = OutputText(text=text).model_dump()
        yield numbered("response.content_part.done", **place, part=part)
        item = last.output[0].model_dump()
        yield numbered("response.output_item.done", output_index=0, item=item)
    yield numbered(_LAST[last.status], response=last.model_dump(mode="json"))


def _as_admitted(reply: ResponseReply) -> ResponseReply:
    """Without what came later, so that a stream that is read again begins as it did."""
    nothing: dict[str, Any] = {"output": [], "usage": None, "error": None, "completed_at": None}
    return reply.model_copy(update={**nothing, "incomplete_details": None, "banyan": {}})


def _shown(reply: ResponseReply, status: str) -> dict[str, Any]:
    return reply.model_copy(update={"status": status}).model_dump(mode="json")
