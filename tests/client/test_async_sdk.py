from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from banyan.client import AsyncClient
from banyan.client.errors import ClientError, ServiceProblem, ServiceUnreachable, WaitTimedOut
from banyan.limits import Limits
from banyan.node import Node, Outcome
from banyan.state import unpack
from banyan.task import Gate, Task
from tests.service.house import TEXT, answered
from tests.service.served import Served


@pytest.mark.usefixtures("worker")
async def test_a_solve_gives_a_typed_result(banyan: AsyncClient) -> None:
    result = await banyan.solve("How?", texts=[TEXT])

    assert (result.status, result.answer, result.finished) == ("completed", "By roots.", True)
    assert result.timing.critical_path_s == 1.0


async def test_options_reach_the_task(served: Served, banyan: AsyncClient, tmp_path: Path) -> None:
    file = tmp_path / "tree.txt"
    file.write_text("from a file")
    document = await banyan.upload(TEXT)
    await banyan.submit(
        "How?",
        documents=[document],
        files=[file],
        texts=["inline"],
        limits=Limits(max_depth=2),
        gate=Gate(mode="never"),
        state="prefix",
        answer_schema={"type": "object"},
        metadata={"ticket": 7},
    )

    [admission] = served.house.store.admitted
    task = unpack(admission.task, Task)
    assert (task.limits.max_depth, task.gate.mode, task.metadata) == (2, "never", {"ticket": 7})
    assert task.state == "prefix"
    assert unpack(admission.root, Node).expects == {"type": "object"}
    assert [len(span) for span in task.inputs] == [len(TEXT), 11, 6]


async def test_a_file_keeps_its_name_as_title(banyan: AsyncClient, tmp_path: Path) -> None:
    file = tmp_path / "tree.txt"
    file.write_bytes("é".encode() * 100_000)
    document = await banyan.upload(file)

    assert (document.num_chars, document.num_bytes) == (100_000, 200_000)
    assert document.title == "tree.txt"


async def test_waiting_ends_when_the_solve_does(served: Served, banyan: AsyncClient) -> None:
    solve = await banyan.submit("How?")
    waiting = asyncio.create_task(banyan.wait(solve.id))
    await served.house.finish(solve.id, Outcome(status="ok", answer="So."))

    assert (await waiting).answer == "So."


async def test_impatience_leaves_the_solve_running(banyan: AsyncClient) -> None:
    solve = await banyan.submit("How?")
    with pytest.raises(WaitTimedOut) as raised:
        await banyan.wait(solve.id, timeout_s=0.01)

    assert raised.value.solve_id == solve.id
    assert (await banyan.get(solve.id)).status == "queued"


@pytest.mark.usefixtures("worker")
async def test_a_stream_brings_pieces_and_then_the_result(banyan: AsyncClient) -> None:
    solve = await banyan.submit("How?")
    events = [event async for event in banyan.stream(solve.id)]

    assert [event.text for event in events if event.text is not None] == ["By ", "roots."]
    assert [event.seq for event in events[:-1]] == list(range(1, len(events)))
    assert events[-1].result is not None
    assert events[-1].result.answer == "By roots."


@pytest.mark.usefixtures("worker")
async def test_a_stream_can_begin_behind_an_event(banyan: AsyncClient) -> None:
    solve = await banyan.solve("How?")
    events = [event async for event in banyan.stream(solve.id, after=3)]

    assert events[0].seq == 4


class Fragile(httpx.AsyncBaseTransport):
    """Breaks each connection after so many bytes of an event stream, a number of times."""

    def __init__(self, *, num_bytes: int, times: int) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._num_bytes = num_bytes
        self.times_left = times
        self.resumed_after: list[str | None] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if request.url.path.endswith("/events"):
            self.resumed_after.append(request.headers.get("Last-Event-ID"))
            if self.times_left:
                self.times_left -= 1
                assert isinstance(response.stream, httpx.AsyncByteStream)
                response.stream = Torn(response.stream, self._num_bytes)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class Torn(httpx.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, inner: httpx.AsyncByteStream, num_bytes: int) -> None:
        self._inner = inner
        self._num_bytes = num_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._num_bytes
        async for chunk in self._inner:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                raise httpx.ReadError("the connection broke")

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_a_stream_that_breaks_again_and_again_has_no_gap_and_no_repeat(
    served: Served,
) -> None:
    house = served.house
    solve = await house.submit()
    await house.finish(solve, answered("", citations=(), covered=()))
    last = (await house.store.get_tree(solve)).last_event
    fragile = Fragile(num_bytes=150, times=3)
    async with AsyncClient(served.url, transport=fragile) as banyan:
        events = [event async for event in banyan.stream(solve)]

    assert [event.seq for event in events[:-1]] == list(range(1, last + 1))
    assert events[-1].type == "result"
    assert fragile.times_left == 0
    assert len(fragile.resumed_after) == 4


async def test_a_stream_that_never_gets_on_is_given_up(served: Served) -> None:
    solve = await served.house.submit()
    fragile = Fragile(num_bytes=0, times=99)
    async with AsyncClient(served.url, transport=fragile, max_attempts=2) as banyan:
        with pytest.raises(ServiceUnreachable):
            _ = [event async for event in banyan.stream(solve)]

    assert fragile.resumed_after == [None, None]


async def test_a_problem_keeps_what_the_service_said(banyan: AsyncClient) -> None:
    with pytest.raises(ServiceProblem) as raised:
        await banyan.submit("How?", documents=["doc_" + "0" * 32])

    problem = raised.value
    assert (problem.status, problem.code) == (422, "unknown_document")
    assert problem.hint
    assert problem.request_id
    assert [error.field for error in problem.errors] == ["documents.0.id"]


async def test_an_unknown_solve_is_a_problem_for_every_call(banyan: AsyncClient) -> None:
    unknown = "solve_" + "0" * 28
    with pytest.raises(ServiceProblem, match="no solve"):
        await banyan.get(unknown)
    with pytest.raises(ServiceProblem, match="no solve"):
        await banyan.cancel(unknown)
    with pytest.raises(ServiceProblem, match="no solve"):
        _ = [event async for event in banyan.stream(unknown)]


async def test_the_tree_and_its_nodes_can_be_looked_at(served: Served, banyan: AsyncClient) -> None:
    document = await served.house.upload()
    solve = await served.house.submit(documents=[{"id": document}])
    await served.house.finish(solve, answered(document))
    page = await banyan.tree(solve, limit=1)
    node = await banyan.node(solve, "0")

    assert (page.total, page.nodes[0].outcome) == (1, "ok")
    assert node.turns[0].decision.score == -1.5


async def test_cancelling_is_answered_with_how_it_stands(
    served: Served, banyan: AsyncClient
) -> None:
    solve = await served.house.submit()

    assert (await banyan.cancel(solve)).status == "cancelled"


class Flaky(httpx.AsyncBaseTransport):
    """Answers 503 a number of times before it passes requests on, and remembers their keys."""

    def __init__(self, app: httpx.AsyncBaseTransport, times: int) -> None:
        self._app = app
        self._times = times
        self.keys: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        if len(self.keys) <= self._times:
            return httpx.Response(503, text="upstream is restarting")
        return await self._app.handle_async_request(request)


async def test_a_request_is_sent_again_under_the_same_key(served: Served) -> None:
    flaky = Flaky(httpx.ASGITransport(served.house.app), times=2)
    async with AsyncClient("http://localhost", transport=flaky) as banyan:
        await banyan.submit("How?")

    assert len(flaky.keys) == 3
    assert len(set(flaky.keys)) == 1
    assert len(served.house.store.admitted) == 1


async def test_a_service_that_is_not_there_is_unreachable() -> None:
    async with AsyncClient("http://127.0.0.1:9", max_attempts=1) as banyan:
        with pytest.raises(ServiceUnreachable, match=r"http://127\.0\.0\.1:9"):
            await banyan.solve("How?")


async def test_a_server_that_is_not_banyan_is_recognised() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>Hello</html>"))
    async with AsyncClient("http://other.test", transport=transport) as banyan:
        with pytest.raises(ClientError, match="did not answer as Banyan does"):
            await banyan.get("solve_1")


async def test_an_error_page_of_a_proxy_is_a_problem_too() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404, text="<html>nope</html>"))
    async with AsyncClient("http://other.test", transport=transport) as banyan:
        with pytest.raises(ServiceProblem) as raised:
            await banyan.get("solve_1")

    assert (raised.value.status, raised.value.code) == (404, "http_404")
