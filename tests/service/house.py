"""A service on in-memory twins, with what tests do to it: play the worker, look at what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from banyan.adapters.memory_access import MemoryAccess
from banyan.adapters.memory_ledger import MemoryLedger
from banyan.adapters.memory_library import MemoryLibrary
from banyan.adapters.memory_policies import MemoryPolicies
from banyan.adapters.memory_store import MemoryStore
from banyan.adapters.observing import Observing
from banyan.adapters.policy_file import Listed
from banyan.errors import StoreUnavailable
from banyan.node import Decision, Outcome
from banyan.ports import Admission, Admitted, Claimed, DocumentInfo, Hint, Spent, TurnLog
from banyan.spans import Span
from banyan.state import pack
from banyan.trajectory import TurnRecord
from banyan.tree import Event
from service.app import create_app
from service.settings import ServiceSettings

TEXT = "A banyan drops roots. The roots become trunks."
JSON = {"Content-Type": "application/json"}
ASYNC = {"Prefer": "respond-async"}


class WatchedStore(MemoryStore):
    """Remembers what was admitted; `away` makes it as if its server were gone."""

    def __init__(self, max_events: int = 10_000, *, logs: bool = False) -> None:
        super().__init__(max_events=max_events, logs=logs)
        self.admitted: list[Admission] = []
        self.away = False
        self.closed = False
        self.num_readers = 0

    async def admit(self, admission: Admission) -> Admitted:
        """Admit, and remember."""
        await self.ping()
        admitted = await super().admit(admission)
        if admitted.created:
            self.admitted.append(admission)
        return admitted

    async def events(self, tree_id: str, *, after: int = 0) -> AsyncIterator[Event]:
        """The events, while counting who reads them."""
        self.num_readers += 1
        try:
            async for event in super().events(tree_id, after=after):
                yield event
        finally:
            self.num_readers -= 1

    async def ping(self) -> None:
        """Fails while the server is away."""
        if self.away:
            raise StoreUnavailable("connection to redis://secret-host refused")

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


class WatchedLibrary(MemoryLibrary):
    """Tells when an upload began, and when it ended one way or the other."""

    def __init__(self) -> None:
        super().__init__()
        self.began = asyncio.Event()
        self.ended = asyncio.Event()

    async def put(
        self, tenant: str, chunks: AsyncIterator[bytes], *, title: str | None = None
    ) -> DocumentInfo:
        """Store, and tell."""
        self.began.set()
        try:
            return await super().put(tenant, chunks, title=title)
        finally:
            self.ended.set()


class HintBox:
    """A queue that keeps what is sent, or fails."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []
        self.sent = asyncio.Event()
        self.broken = False
        self.closed = False

    async def send(self, hints: Sequence[Hint]) -> None:
        """Keep `hints`."""
        if self.broken:
            raise ConnectionError("the broker is gone")
        self.hints.extend(hints)
        self.sent.set()

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@dataclass
class House:
    """The service and what it stands on."""

    settings: ServiceSettings
    listed: Listed | None = None
    store: WatchedStore = field(default_factory=WatchedStore)
    library: WatchedLibrary = field(default_factory=WatchedLibrary)
    queue: HintBox = field(default_factory=HintBox)
    policies: MemoryPolicies = field(default_factory=MemoryPolicies)
    access: MemoryAccess = field(default_factory=MemoryAccess)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    def __post_init__(self) -> None:
        self.observing = Observing(self.settings, "service")
        self.app: FastAPI = create_app(
            self.store,
            self.library,
            self.queue,
            self.settings,
            self.listed,
            versions=self.policies,
            access=self.access,
            ledger=self.ledger,
            observing=self.observing,
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://127.0.0.1",
        )

    @property
    def num_documents(self) -> int:
        """Documents that are kept, of all tenants."""
        return sum(len(kept) for kept in self.library._tenants.values())

    def assert_nothing_stored(self) -> None:
        """Neither a tree nor a document nor a hint."""
        assert (self.store.admitted, self.num_documents, self.queue.hints) == ([], 0, [])

    async def upload(self, text: str = TEXT) -> str:
        """A new document's id."""
        reply = await self.http.post("/documents", content=text, headers=text_plain())
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    async def submit(self, **body: Any) -> str:
        """A new solve's id."""
        reply = await self.http.post("/solve", json={"goal": "Why?", **body}, headers=ASYNC)
        assert reply.status_code == 202, reply.text
        return str(reply.json()["id"])

    async def claim(self, solve: str, path: str = "0") -> Claimed:
        """Take a node as a worker does."""
        claims = await self.store.claim(solve, [path], worker="w", lease_s=60.0, reserves={})
        [claimed] = claims.nodes
        return claimed

    async def finish(self, solve: str, outcome: Outcome) -> None:
        """Take the root and end it."""
        claimed = await self.claim(solve)
        await self.store.finish(claimed.lease, outcome, log=turn_log())


def text_plain() -> Mapping[str, str]:
    return {"Content-Type": "text/plain; charset=utf-8"}


def answered(document: str, *, answer: str = "By roots.", **changes: Any) -> Outcome:
    """An outcome that read all of TEXT and cites its first sentence."""
    return Outcome(
        status="ok",
        answer=answer,
        citations=(Span(document=document, start=0, end=21),),
        covered=(Span(document=document, start=0, end=len(TEXT)),),
        critical_path_s=1.0,
        sequential_s=3.0,
    ).model_copy(update=changes)


def turn_log() -> TurnLog:
    """The log of a turn that answered at once."""
    record = TurnRecord(
        index=0,
        generation=1,
        decision=Decision(kind="answer", mode="threshold", forced=False, score=-1.5, threshold=4.0),
        action='{"kind": "answer", "answer": "By roots.", "citations": [1]}',
        valid=True,
        prompt_text="How does a banyan grow?",
        completion_text='{"answer": "By roots."}',
        prompt_token_ids=(1, 2, 3),
        choice_prompt_token_ids=None,
        completion_token_ids=(4, 5),
        logprobs=(-0.1, -0.2),
        logprobs_kind="raw",
        prompt_tokens=3,
        completion_tokens=2,
        cached_tokens=1,
        policy_version="base",
        engine="fake",
        finish_reason="stop",
        temperature=0.0,
        seconds=1.0,
    )
    spent = Spent(llm_calls=1, prompt_tokens=3, cached_tokens=1, completion_tokens=2, actions=1)
    return TurnLog(pack(record), spent, {"kind": "answer"})


def assert_problem(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a problem that says all that a problem must say."""
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = reply.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["detail"]
    assert body["hint"]
    assert body["request_id"] == reply.headers["X-Request-Id"]
    return body


def assert_error(reply: httpx.Response, status: int, code: str, param: str | None = None) -> None:
    """An error in OpenAI's shape."""
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Request-Id"]
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code, error
    assert error["message"]
    if param is not None:
        assert error["param"] == param, error


def assert_refused(reply: httpx.Response, status: int, code: str) -> None:
    """A refusal, in the shape that its path has."""
    if reply.request.url.path.startswith("/v1/"):
        assert_error(reply, status, code)
    else:
        assert_problem(reply, status, code)
