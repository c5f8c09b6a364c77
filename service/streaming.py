"""Streaming: a tree's events as server-sent events, closed by its result.

`id` is the event's sequence number, so that a client which comes back with `Last-Event-ID` goes on
behind it without gap or repeat. The closing `result` has no id: it can be sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
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
READ_AHEAD = 64
"""Events of one stream that wait for its client; the reader waits for room."""

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
        raise _no_event()
    return int(header)


def _no_event() -> Refused:
    return Refused(
        "Last-Event-ID must be the id of an event of this stream.",
        code="invalid_header",
        hint="Leave it out to read all events from the first.",
        status=400,
    )


def check_kept(record: TreeRecord, after: int) -> None:
    """Raises Refused where the event behind `after` is not kept any more (410).

    And where `after` has not happened (400): who waited for what comes behind it would miss some.
    """
    if after > record.last_event:
        raise _no_event()
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

    Raises Refused where the first of these is not kept any more, or `after` has not happened.
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

    One task reads ahead, so that a wait which runs into a heartbeat interrupts no read. A task for
    each read would cost more than all else that is done for an event.
    """
    queue: asyncio.Queue[Event | None] = asyncio.Queue(READ_AHEAD)
    reading = asyncio.create_task(_read_ahead(events, queue))
    stop = asyncio.create_task(stopping.wait())
    stop.add_done_callback(lambda _: _wake(queue))
    try:
        while not stop.done():
            if queue.empty() and reading.done():
                reading.result()  # what the store raised is raised here
                return
            try:
                async with asyncio.timeout(every_s):
                    event = await queue.get()
            except TimeoutError:
                yield None
                continue
            if event is not None:
                yield event
    finally:
        for task in (stop, reading):
            task.cancel()
        await asyncio.gather(stop, reading, return_exceptions=True)


async def _read_ahead(events: AsyncIterator[Event], queue: asyncio.Queue[Event | None]) -> None:
    """Put the events into `queue`, and wake who waits for one where there are no more."""
    try:
        async for event in events:
            await queue.put(event)
    finally:
        asyncio.get_running_loop().call_soon(_wake, queue)


def _wake(queue: asyncio.Queue[Event | None]) -> None:
    """Let who waits for an event look around; where the queue is full, nobody waits."""
    with suppress(asyncio.QueueFull):
        queue.put_nowait(None)
