"""A worker in the process of the test: the real kernel drives what a house's trees make ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from banyan.drive import drive
from banyan.policy import BASE
from banyan.ports import Engine, Hint, Ports
from banyan.state import unpack
from banyan.task import Task
from banyan.testing import ScriptedEngine
from tests.service.house import House


@asynccontextmanager
async def working(house: House, engine: Engine | None = None) -> AsyncIterator[None]:
    """Inside, everything that is admitted is worked on; by default with a scripted engine."""
    at_work = asyncio.create_task(work(house, engine or ScriptedEngine()))
    try:
        yield
    finally:
        at_work.cancel()
        await asyncio.gather(at_work, return_exceptions=True)


async def work(house: House, engine: Engine) -> None:
    """Until it is cancelled."""
    ports = Ports(store=house.store, library=house.library, engine=engine)
    async with asyncio.TaskGroup() as driving:
        done = 0
        while True:
            await house.queue.sent.wait()
            house.queue.sent.clear()
            new, done = house.queue.hints[done:], len(house.queue.hints)
            for hint in new:
                driving.create_task(work_on(house, hint, ports))


async def work_on(house: House, hint: Hint, ports: Ports) -> None:
    task = unpack((await house.store.get_tree(hint.tree_id)).task, Task)
    claims = await house.store.claim(
        hint.tree_id, hint.paths, worker="w", lease_s=600.0, reserves={}
    )
    await house.queue.send(claims.hints)
    nodes = [drive(node, task, BASE, ports) for node in claims.nodes]
    ready: Sequence[list[Hint]] = await asyncio.gather(*nodes)
    await house.queue.send([one for hints in ready for one in hints])
