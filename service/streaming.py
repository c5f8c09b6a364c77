"""Streaming: a tree's events as server-sent events, closed by its result.

`id` is the event's sequence number, so that a client which comes back with `Last-Event-ID` goes on
behind it without gap or repeat. The closing `result` has no id: it can be sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from banyan import signals
from banyan.client.results import StreamEvent
from banyan.errors import EventsTrimmed
from banyan.tree import FINAL, Event, TreeRecord
from service.dependencies import Ports
from service.preferences import EVENT_STREAM
from service.problems import Refused
from service.results import result_of
from service.waiting import closing

HEARTBEAT = format_sse_event(comment="still here")

EVENTS_DESCRIBED: dict[str, Any] = {
    "schema": {
        "type": "object",
        "description": "One event of the stream.",
        "properties": {
            "event": {"type": "string", "description": "Its type; the last one is `result`."},
            "id": {"type": "string", "description": "Its sequence number; `result` has none."},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["event", "data"],
    }
}
"""How the OpenAPI document describes what a stream consists of."""

HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back
}


def parse_last_event_id(header: str | None) -> int:
    """The sequence number to go on behind; 0 without the header."""
    if not header:
        return 0
    if not header.isascii() or not header.isdigit() or len(header) > 18:
        raise Refused(
            "Last-Event-ID must be the id of an event of this stream.",
            code="invalid_header",
            hint="Leave it out to read all events from the first.",
            status=400,
        )
    return int(header)


def check_kept(record: TreeRecord, after: int) -> None:
    """Raises Refused (410) where the event behind `after` is not kept any more."""
    if after + 1 < record.first_event <= record.last_event:
        raise Refused(
            f"Events before {record.first_event} are not kept any more.",
            code=EventsTrimmed.code,
            hint=f"Read the solve and its tree, then go on with Last-Event-ID: "
            f"{record.first_event - 1}.",
            status=410,
        )


def respond(
    record: TreeRecord, *, after: int, ports: Ports, headers: dict[str, str] | None = None
) -> StreamingResponse:
    """Events of `record`'s tree with `seq > after`, then its result.

    Raises Refused where the first of these is not kept any more.
    """
    check_kept(record, after)
    return StreamingResponse(
        _stream(record, after, ports),
        media_type=EVENT_STREAM,
        headers={**HEADERS, **(headers or {})},
    )


async def _stream(record: TreeRecord, after: int, ports: Ports) -> AsyncIterator[bytes]:
    # Where everything was read before, there is nothing to wait for.
    if record.status not in FINAL or after < record.last_event:
        async with aclosing(events_of(record, after, ports)) as events:
            async for event in events:
                yield HEARTBEAT if event is None else _encode(event)
        record = await ports.store.get_tree(record.id)
    if record.status in FINAL:
        result = await result_of(record, ports.store, ports.library)
        yield format_sse_event(event="result", data_str=result.model_dump_json())


async def events_of(record: TreeRecord, after: int, ports: Ports) -> AsyncGenerator[Event | None]:
    """The tree's events behind `after` until its end, and None wherever a heartbeat is due."""
    metrics = ports.observing.metrics
    metrics.count(signals.EVENT_STREAMS)
    try:
        async with closing(ports.store.events(record.id, after=after)) as events:
            paced = _with_heartbeats(events, ports.settings.heartbeat_s, ports.stopping)
            async with aclosing(paced):
                async for event in paced:
                    yield event
    finally:
        metrics.count(signals.EVENT_STREAMS, amount=-1)


def sent_as(event: Event) -> StreamEvent:
    """The event as clients know it."""
    return StreamEvent(type=event.type, seq=event.seq, at=event.at, data=event.data)


def _encode(event: Event) -> bytes:
    return format_sse_event(
        event=event.type,
        id=str(event.seq),
        data_str=sent_as(event).model_dump_json(exclude={"result"}),
    )


async def _with_heartbeats(
    events: AsyncIterator[Event], every_s: float, stopping: asyncio.Event
) -> AsyncGenerator[Event | None]:
    """The events, and None after each `every_s` seconds without one; ends when `stopping` is set.

    A wait that runs into a heartbeat goes on with the same pending read: no event is lost.
    """
    stop = asyncio.create_task(stopping.wait())
    pending: asyncio.Task[Event | None] | None = None
    try:
        while not stop.done():
            if pending is None:
                pending = asyncio.create_task(_next(events))
            await asyncio.wait(
                {pending, stop}, timeout=every_s, return_when=asyncio.FIRST_COMPLETED
            )
            if pending.done():
                event = pending.result()
                if event is None:
                    return
                pending = None
                yield event
            elif not stop.done():
                yield None
    finally:
        unfinished = [task for task in (stop, pending) if task is not None]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)
