"""How the SDK looks to a type checker. `make lint` has mypy read this; nothing runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

from banyan import AsyncClient, Client
from banyan.citations import Citation, Coverage
from banyan.client.listing import SolvePage
from banyan.client.results import Document, NodeDetail, SolveResult, StreamEvent, TreePage, Usage
from banyan.estimate import Estimate
from banyan.limits import Limits
from banyan.task import Gate


def sync(client: Client, document: Document) -> None:
    result = client.solve(
        "Why?",
        documents=[Path("contract.pdf"), document, "doc_1"],
        limits=Limits(max_depth=2),
        gate={"mode": "never"},
        state="auto",
    )
    assert_type(result, SolveResult)
    assert_type(result.citations, tuple[Citation, ...])
    assert_type(result.coverage, Coverage | None)
    assert_type(result.usage, Usage)
    for event in client.stream(result.id):
        assert_type(event, StreamEvent)
        assert_type(event.text, str | None)
    assert_type(client.submit("Why?", gate=Gate(mode="always")), SolveResult)
    assert_type(client.wait(result.id, timeout_s=1.0), SolveResult)
    assert_type(client.cancel(result.id), SolveResult)
    assert_type(client.resume(result.id, extra_tokens=1), SolveResult)
    assert_type(client.tree(result.id), TreePage)
    assert_type(client.node(result.id, "0"), NodeDetail)
    assert_type(client.trace(result.id), dict[str, Any])
    assert_type(client.list(status="running"), SolvePage)
    assert_type(client.estimate("Why?", documents=[Path("contract.pdf")]), Estimate)
    client.delete(result.id)
    client.delete_document("doc_0")
    client.solve("Why?", colour="red")  # type: ignore[call-arg]
    client.solve("Why?", state="telepathy")  # type: ignore[arg-type]
    client.list(status="lost")  # type: ignore[arg-type]


async def asynchronous(client: AsyncClient) -> None:
    result = await client.solve("Why?", documents=[Path("contract.pdf")])
    assert_type(result, SolveResult)
    async for event in client.stream(result.id):
        assert_type(event, StreamEvent)
    assert_type(await client.list(), SolvePage)
    assert_type(await client.estimate("Why?"), Estimate)
    assert_type(await client.resume(result.id), SolveResult)
    assert_type(await client.trace(result.id), dict[str, Any])
