"""The service with the real kernel behind it: a document that does not fit, cut, read and cited."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from banyan.client import AsyncClient
from tests.service.served import Served
from tests.service.working import working

DOCUMENT = "\n\n".join(
    f"Section {index}. A banyan drops roots, and the roots become trunks, as number {index} shows."
    for index in range(400)
)


@pytest.fixture
async def worker(served: Served) -> AsyncIterator[None]:
    """Drives every node that the service and its trees make ready."""
    async with working(served.house):
        yield


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
