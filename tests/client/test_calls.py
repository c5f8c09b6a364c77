"""The calls beside solving: what goes over the wire, and what comes of the reply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from banyan import AsyncClient, Client
from banyan.client.errors import ServiceProblem

ID = "solve_" + "0" * 28
RESULT = {"id": ID, "status": "running", "policy": "base"}
PAGE = {
    "solves": [
        {
            **RESULT,
            "goal": "Why?",
            "created_at": 1.0,
            "deadline_at": 2.0,
            "generation": 1,
            "usage": {},
        }
    ],
    "next": "c2",
}
PLAN = {
    "llm_calls": 1,
    "nodes": 1,
    "max_depth": 0,
    "prompt_tokens": 9,
    "completion_tokens": 1,
    "cost_usd": 0.0,
}
ESTIMATE = {"input_tokens": 9, "window": 2048, "fits": True, "least": PLAN, "most": PLAN}


class Wire:
    """A service that answers one thing, and keeps what it was asked."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self.asked: list[httpx.Request] = []
        self._body = body
        self._status = status
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self._status == 204:
            return httpx.Response(204)
        return httpx.Response(self._status, json=self._body)

    @property
    def client(self) -> Client:
        return Client("http://banyan.test", transport=self.transport, max_attempts=1)

    @property
    def body(self) -> Any:
        return json.loads(self.asked[-1].content)

    @property
    def line(self) -> str:
        return f"{self.asked[-1].method} {self.asked[-1].url.raw_path.decode()}"


def test_a_list_is_asked_for_page_by_page() -> None:
    wire = Wire(PAGE)
    page = wire.client.list(status="running", cursor="c1", limit=5)

    assert wire.line == "GET /solve?status=running&cursor=c1&limit=5"
    assert ([one.goal for one in page.solves], page.next) == (["Why?"], "c2")


def test_an_estimate_counts_files_and_uploads_none(tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("x" * 1_000)
    wire = Wire(ESTIMATE)
    found = wire.client.estimate("Why?", documents=[file, "doc_1"], texts=["y"], window=4_096)

    assert [request.url.path for request in wire.asked] == ["/solve/estimate"]
    assert wire.body == {
        "goal": "Why?",
        "documents": [{"id": "doc_1"}, {"text": "y"}],
        "more_chars": 1_000,
        "window": 4_096,
    }
    assert (found.fits, found.most.tokens) == (True, 10)


def test_a_resume_says_what_it_adds_under_one_key() -> None:
    wire = Wire(RESULT)
    result = wire.client.resume(ID, extra_tokens=100, deadline_s=60)

    assert wire.line == f"POST /solve/{ID}/resume"
    assert wire.body == {"extra": {"tokens": 100}, "deadline_s": 60}
    assert wire.asked[0].headers["Idempotency-Key"]
    assert result.status == "running"


def test_deleting_has_no_reply() -> None:
    wire = Wire(None, 204)
    wire.client.delete(ID)

    assert wire.line == f"DELETE /solve/{ID}"


def test_deleting_a_document_has_no_reply() -> None:
    wire = Wire(None, 204)
    wire.client.delete_document("doc_1")

    assert wire.line == "DELETE /documents/doc_1"


def test_what_is_refused_is_a_typed_error() -> None:
    problem = {"detail": "It runs.", "code": "still_running", "hint": "Cancel it first."}
    with pytest.raises(ServiceProblem, match="It runs") as raised:
        Wire(problem, 409).client.delete(ID)

    assert (raised.value.code, raised.value.hint) == ("still_running", "Cancel it first.")


def test_a_trace_is_json() -> None:
    wire = Wire({"traceEvents": []})
    assert wire.client.trace(ID) == {"traceEvents": []}
    assert wire.line == f"GET /solve/{ID}/trace"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.pdf", "application/pdf"),
        ("a.HTML", "text/html"),
        ("a.md", "text/markdown"),
        ("a.log", "application/octet-stream"),
    ],
)
def test_a_file_among_the_documents_is_uploaded_as_what_it_is(
    tmp_path: Path, name: str, kind: str
) -> None:
    file = tmp_path / name
    file.write_text("x")
    wire = Wire({"id": "doc_9", "num_chars": 1, "num_bytes": 1})
    wire.client.upload(file)

    assert wire.asked[0].headers["Content-Type"] == kind


async def test_the_client_with_asyncio_asks_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("x")
    for call, reply in (("list", PAGE), ("estimate", ESTIMATE), ("resume", RESULT)):
        wire = Wire(reply)
        async with AsyncClient("http://banyan.test", transport=wire.transport) as client:
            arguments = {"list": (), "estimate": ("Why?",), "resume": (ID,)}[call]
            await getattr(client, call)(*arguments)
        twin = Wire(reply)
        getattr(twin.client, call)(*arguments)
        assert (wire.line, wire.asked[0].content) == (twin.line, twin.asked[0].content)
