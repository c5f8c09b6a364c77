"""The service with the real kernel behind it: a document that does not fit, cut, read and cited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from banyan.client import AsyncClient
from banyan.drive import drive
from banyan.policy import BASE
from banyan.ports import Hint, Ports
from banyan.state import unpack
from banyan.task import Task
from banyan.testing import ScriptedEngine
from tests.service.house import House
from tests.service.served import Served

DOCUMENT = "\n\n".join(
    f"Section {index}. A banyan drops roots, and the roots become trunks, as number {index} shows."
    for index in range(400)
)


@pytest.fixture
async def worker(served: Served) -> AsyncIterator[None]:
    """Drives every node that the service and its trees make ready."""
    working = asyncio.create_task(work(served.house))
    yield
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def work(house: House) -> None:
    ports = Ports(store=house.store, library=house.library, engine=ScriptedEngine())
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
    claimed = await house.store.claim(
        hint.tree_id, hint.paths, worker="w", lease_s=600.0, reserves={}
    )
    nodes = [drive(node, task, BASE, ports) for node in claimed]
    ready: Sequence[list[Hint]] = await asyncio.gather(*nodes)
    await house.queue.send([one for hints in ready for one in hints])


@pytest.mark.usefixtures("worker")
async def test_a_document_larger_than_the_window_is_answered_with_its_sources(
    served: Served,
) -> None:
    async with AsyncClient(served.url) as banyan:
        document = await banyan.upload(DOCUMENT)
        started = await banyan.submit("Summarise what this text tells.", documents=[document])
        events = [event async for event in banyan.stream(started.id)]
        page = await banyan.tree(started.id, limit=1_000)
        root = await banyan.node(started.id, "0")

    result = events[-1].result
    assert result is not None
    assert result.status == "completed", result.error
    assert result.usage.nodes == page.total > 2
    assert [event.seq for event in events[:-1]] == list(range(1, len(events)))
    assert result.coverage is not None
    assert (result.coverage.share, result.coverage.missing) == (1.0, ())
    assert result.citations
    for citation in result.citations:
        assert citation.document == document.id
        assert DOCUMENT[citation.start : citation.end].startswith(citation.quote)
    answer = ""
    for event in events:
        answer = event.extend(answer)
    assert answer == result.answer
    assert {node.outcome for node in page.nodes} == {"ok"}
    assert len(root.turns) >= 2
    assert root.turns[0].decision.kind == "delegate"
