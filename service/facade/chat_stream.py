"""Chat stream: a solve's events as the chunks of a completion, while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from banyan.errors import BanyanError
from banyan.tree import FINAL, TreeRecord
from service.dependencies import Ports
from service.facade.answer_text import Growing, text_of
from service.facade.chat_reply import Chunks
from service.facade.failed import unanswered
from service.facade.frames import DONE, cancel_unfinished, error_detail, frame
from service.facade.stops import Stops
from service.results import result_of
from service.streaming import HEARTBEAT, events_of, sent_as


async def chat_stream(
    record: TreeRecord, chunks: Chunks, stops: Stops, ports: Ports, *, keep: bool
) -> AsyncIterator[bytes]:
    """Chunks, then `[DONE]`; or an error as the last one.

    Unless `keep`, a solve whose reader leaves is cancelled: nobody can ask for it again.
    """
    try:
        try:
            async for one in _chunks(record, chunks, stops, ports):
                yield one
        except BanyanError as error:
            yield frame({"error": error_detail(error).model_dump()})
        yield DONE
    finally:
        if not keep:
            await cancel_unfinished(ports.store, record.id)


async def _chunks(
    record: TreeRecord, chunks: Chunks, stops: Stops, ports: Ports
) -> AsyncIterator[bytes]:
    growing = Growing(stops)
    yield frame(chunks.first())
    async with aclosing(events_of(record, 0, ports)) as events:
        async for event in events:
            if event is None:
                yield HEARTBEAT
            elif piece := growing.feed(sent_as(event)):
                yield frame(chunks.piece(piece))
    record = await ports.store.get_tree(record.id)
    if record.status not in FINAL:  # the service stops
        raise unanswered(None)
    result = await result_of(record, ports.store, ports.library)
    if result.status in {"failed", "cancelled"}:
        raise unanswered(result)
    answer = text_of(result.answer)
    if piece := growing.close(answer):
        yield frame(chunks.piece(piece))
    for chunk in chunks.last(result, stopped=stops.cut(answer) != answer):
        yield frame(chunk)
