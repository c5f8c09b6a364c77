"""`Client`: solve over HTTP, in plain synchronous Python. `AsyncClient` is its twin."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

import httpx

from banyan.client import calls
from banyan.client.calls import Call, SolveOptions
from banyan.client.credentials import authorization
from banyan.client.errors import ClientError, ServiceUnreachable, WaitTimedOut
from banyan.client.listing import SolvePage
from banyan.client.results import (
    Document,
    NodeDetail,
    Received,
    SolveResult,
    StreamEvent,
    TreePage,
    Uploaded,
)
from banyan.client.retry import Attempts, Retry
from banyan.client.sse import Parser
from banyan.estimate import Estimate
from banyan.feedback_source import Source
from banyan.tree import TreeStatus

_READ_BYTES = 1 << 16


class Client:
    """A pooled connection to one Banyan service. Close it, or use it as a context manager.

    Raises ServiceUnreachable and ServiceProblem (both ClientError). Passing failures are tried
    again, `max_attempts` times in all; by default 4, and 8 once the service has answered.
    `timeout_s` bounds connecting and each silence of the service that it did not announce.
    """

    def __init__(
        self,
        url: str = calls.DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        max_attempts: int | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._attempts = Attempts(max_attempts)
        self._http = httpx.Client(
            base_url=url, headers={**authorization(api_key), **(headers or {})}, transport=transport
        )

    def solve(
        self,
        goal: str,
        *,
        documents: Sequence[Document | str | Path] = (),
        files: Sequence[Path] = (),
        texts: Sequence[str] = (),
        timeout_s: float | None = None,
        **options: Unpack[SolveOptions],
    ) -> SolveResult:
        """Solve `goal` over documents (their ids, or files), files and texts; wait for the result.

        Raises WaitTimedOut after `timeout_s` seconds; the solve goes on.
        """
        began = time.monotonic()
        result = self._start(goal, self._uploaded([*documents, *files]), texts, timeout_s, options)
        if result.finished:
            return result
        left_s = None if timeout_s is None else max(0.0, timeout_s - (time.monotonic() - began))
        return self.wait(result.id, timeout_s=left_s)

    def submit(
        self,
        goal: str,
        *,
        documents: Sequence[Document | str | Path] = (),
        files: Sequence[Path] = (),
        texts: Sequence[str] = (),
        **options: Unpack[SolveOptions],
    ) -> SolveResult:
        """Start a solve and return at once; its `id` is what `wait` and `stream` take."""
        return self._start(goal, self._uploaded([*documents, *files]), texts, 0.0, options)

    def get(self, solve_id: str) -> SolveResult:
        """How it stands now."""
        return calls.result_of(self._send(calls.read(solve_id)))

    def wait(self, solve_id: str, *, timeout_s: float | None = None) -> SolveResult:
        """The finished result. Raises WaitTimedOut after `timeout_s` seconds."""
        ends_at = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            left_s = calls.MAX_WAIT_S if ends_at is None else ends_at - time.monotonic()
            result = calls.result_of(self._send(calls.read(solve_id, wait_s=max(left_s, 0.0))))
            if result.finished:
                return result
            if ends_at is not None and timeout_s is not None and time.monotonic() >= ends_at:
                raise WaitTimedOut(solve_id, timeout_s)
            if left_s < 1:  # below the grain of the service's own waiting
                time.sleep(min(0.1, max(left_s, 0.0)))

    def stream(self, solve_id: str, *, after: int = 0) -> Iterator[StreamEvent]:
        """Every event with `seq > after`, once and in order; the last one has the result.

        A connection that breaks is made again and goes on where it broke.
        """
        retry = Retry(self._attempts)
        while True:
            try:
                for event in self._stream_once(calls.events(solve_id, after=after)):
                    retry.progress()
                    after = event.seq or after
                    yield event
                    if event.type == "result":
                        return
                failure: ClientError = ServiceUnreachable("the event stream ended early")
            except httpx.TransportError as error:
                failure = calls.unreachable(self._url, error)
            except ClientError as error:
                failure = error
            time.sleep(retry.delay_s(failure))

    def cancel(self, solve_id: str) -> SolveResult:
        """End what is not finished; a finished solve stays as it is."""
        return calls.result_of(self._send(calls.cancel(solve_id)))

    def list(
        self,
        *,
        status: TreeStatus | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> SolvePage:
        """Your solves, newest first; `next` of a page is the `cursor` of the one behind it."""
        call = calls.listing(status=status, cursor=cursor, limit=limit)
        return calls.parse(self._send(call), SolvePage)

    def estimate(
        self,
        goal: str,
        *,
        documents: Sequence[Document | str | Path] = (),
        texts: Sequence[str] = (),
        window: int | None = None,
        **options: Unpack[SolveOptions],
    ) -> Estimate:
        """What a solve would take. Files are not uploaded: their bytes count as characters."""
        call = calls.estimate(
            goal, documents=documents, texts=texts, window=window, options=options
        )
        return calls.parse(self._send(call), Estimate)

    def resume(
        self,
        solve_id: str,
        *,
        extra_tokens: int = 0,
        extra_nodes: int = 0,
        extra_cost_usd: float = 0.0,
        deadline_s: float | None = None,
    ) -> SolveResult:
        """Open a finished solve again: what is complete stays, what is not runs once more."""
        call = calls.resume(
            solve_id,
            extra_tokens=extra_tokens,
            extra_nodes=extra_nodes,
            extra_cost_usd=extra_cost_usd,
            deadline_s=deadline_s,
        )
        return calls.result_of(self._send(call))

    def delete(self, solve_id: str) -> None:
        """Forget a finished solve; also where it is gone already."""
        self._send(calls.delete(solve_id))

    def delete_document(self, document_id: str) -> None:
        """Forget a document, for all solves that refer to it; also where it is gone already."""
        self._send(calls.delete_document(document_id))

    def trace(self, solve_id: str) -> dict[str, Any]:
        """When each node ran and waited, as Chrome trace JSON."""
        return calls.parse_json(self._send(calls.trace(solve_id)))

    def feedback(
        self,
        solve_id: str,
        value: float,
        *,
        node: str = "0",
        source: Source = "user",
        comment: str | None = None,
        key: str | None = None,
    ) -> Received:
        """Say how well a solve, or one node of it, did: 0 is wrong, 1 is right. For training."""
        call = calls.feedback(solve_id, value, node=node, source=source, comment=comment, key=key)
        return calls.parse(self._send(call), Received)

    def tree(self, solve_id: str, *, offset: int = 0, limit: int = 100) -> TreePage:
        """Nodes in the order of their creation."""
        call = calls.tree(solve_id, offset=offset, limit=limit)
        return calls.parse(self._send(call), TreePage)

    def node(self, solve_id: str, path: str) -> NodeDetail:
        """One node: its prompts, actions, decisions and outcome."""
        return calls.parse(self._send(calls.node(solve_id, path)), NodeDetail)

    def upload(self, source: Path | str | bytes, *, title: str | None = None) -> Uploaded:
        """Store a document: text, Markdown, HTML or PDF as a Path or bytes; a str is the text."""
        return calls.parse(self._send(calls.upload(source, title=title)), Uploaded)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(
        self,
        goal: str,
        documents: Sequence[Document | str],
        texts: Sequence[str],
        timeout_s: float | None,
        options: SolveOptions,
    ) -> SolveResult:
        wait_s = calls.MAX_WAIT_S if timeout_s is None else timeout_s
        call = calls.solve(goal, documents=documents, texts=texts, wait_s=wait_s, options=options)
        return calls.result_of(self._send(call))

    def _uploaded(self, documents: Sequence[Document | str | Path]) -> Sequence[Document | str]:
        """The documents, with those that are files uploaded."""
        return [self.upload(one) if isinstance(one, Path) else one for one in documents]

    def _send(self, call: Call) -> httpx.Response:
        retry = Retry(self._attempts)
        while True:
            try:
                response = self._attempt(call)
                calls.raise_for(response)
            except httpx.TransportError as error:
                delay_s = retry.delay_s(calls.unreachable(self._url, error))
            except ClientError as error:
                delay_s = retry.delay_s(error)
            else:
                self._attempts.answered()
                return response
            time.sleep(delay_s)

    def _attempt(self, call: Call) -> httpx.Response:
        if call.source is None:
            return self._http.send(self._request(call, call.body))
        with call.source.open("rb") as file:
            return self._http.send(self._request(call, iter(lambda: file.read(_READ_BYTES), b"")))

    def _stream_once(self, call: Call) -> Iterator[StreamEvent]:
        response = self._http.send(self._request(call, None), stream=True)
        try:
            if not response.is_success:
                response.read()
                calls.raise_for(response)
            parser = Parser()
            for chunk in response.iter_bytes():
                yield from parser.feed(chunk)
        finally:
            response.close()

    def _request(self, call: Call, content: bytes | Iterator[bytes] | None) -> httpx.Request:
        return self._http.build_request(
            call.method,
            call.path,
            params=call.params,
            headers=call.headers,
            content=content,
            timeout=httpx.Timeout(self._timeout_s, read=self._timeout_s + call.patience_s),
        )
