"""Waiting: until a tree is finished, the time is over, the client is gone, or the service stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import Request

from banyan.errors import EventsTrimmed
from banyan.ports import Store
from banyan.tree import FINAL, Event, TreeRecord
from service.dependencies import Ports


async def wait_finished(
    record: TreeRecord, wait_s: float, *, request: Request, ports: Ports
) -> TreeRecord:
    """The newest record, at the latest after `wait_s` seconds. The tree goes on in any case.

    `request`'s body must have been read: what comes next is that the client hangs up.
    """
    if record.status in FINAL or wait_s <= 0:
        return record
    enders = {
        asyncio.create_task(_drain(ports.store, record)),
        asyncio.create_task(_disconnected(request)),
        asyncio.create_task(ports.stopping.wait()),
    }
    try:
        done, _ = await asyncio.wait(enders, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # what the store raised is raised here
    finally:
        for task in enders:
            task.cancel()
        await asyncio.gather(*enders, return_exceptions=True)
    return await ports.store.get_tree(record.id)


@asynccontextmanager
async def closing(events: AsyncIterator[Event]) -> AsyncIterator[AsyncIterator[Event]]:
    """Give back at once what a reader of events holds, where its reader has something to close."""
    try:
        yield events
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


async def _drain(store: Store, record: TreeRecord) -> None:
    while record.status not in FINAL:
        with suppress(EventsTrimmed):  # the newest tell of the end
            async with closing(store.events(record.id, after=record.last_event)) as events:
                async for _ in events:
                    pass
        record = await store.get_tree(record.id)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
