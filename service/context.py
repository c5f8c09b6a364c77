"""What surrounds every request: an id, one log line, a limit for the body, and a last resort.

The log says which request and which tree, and how it went; it never holds content.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from banyan import signals
from banyan.access import Caller
from banyan.adapters.observing import Observing
from banyan.ports.traces import RequestSpan
from banyan.telemetry import failure_of
from service import problems

REQUEST_ID = "X-Request-Id"

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})

log = structlog.get_logger("banyan.service")


class RequestContext:
    """Middleware: `request.state.request_id`, and a problem for whatever was not foreseen."""

    def __init__(self, app: ASGIApp, *, observing: Observing) -> None:
        self.app = app
        self.metrics = observing.metrics
        self.traces = observing.traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers.get(REQUEST_ID))
        scope.setdefault("state", {})["request_id"] = request_id
        said = {signals.HTTP_METHOD: scope["method"], signals.SPAN_REQUEST_ID: request_id}
        with self.traces.request(scope["method"], headers, said) as span:
            await self._answer(scope, receive, send, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, span: RequestSpan) -> None:
        state, request_id, status = scope["state"], scope["state"]["request_id"], 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                headers.update(state.get("rate_limit", {}))
            await send(message)

        started = time.perf_counter()
        try:
            await self.app(scope, receive, send_with_id)
        except Exception as error:  # noqa: BLE001  # the last resort of every request
            state["failure"] = error
            if status:
                # The reply is under way. A return leaves it incomplete, and the server breaks the
                # connection; raised on, the server would log the error's message too.
                return
            await problems.internal(state)(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            _log(scope, state, status, seconds)
            self._tell(scope, state, status, seconds, span)

    def _tell(
        self,
        scope: Scope,
        state: Mapping[str, object],
        status: int,
        seconds: float,
        span: RequestSpan,
    ) -> None:
        # A path that nobody answers is not named: callers choose it.
        route = getattr(scope.get("route"), "path", "none")
        self.metrics.count(signals.HTTP_REQUESTS, scope["method"], route, str(status))
        self.metrics.observe(signals.HTTP_SECONDS, seconds, route)
        if (code := state.get("problem")) is not None:
            self.metrics.count(signals.PROBLEMS, str(code))
        span.say({signals.HTTP_ROUTE: route, signals.HTTP_STATUS: status})
        if "tree_id" in state:
            span.of_tree(str(state["tree_id"]))
        if status >= 500:
            span.failed(str(state.get("problem", status)))


class BodyLimit:
    """Middleware: counts a body while it is read, and stops at the limit of its path with 413."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, by_path: Mapping[str, int]) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.by_path = by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        max_bytes = self.by_path.get(scope["path"], self.max_bytes)
        announced = Headers(scope=scope).get("content-length", "")
        num_bytes = 0

        async def receive_counted() -> Message:
            nonlocal num_bytes
            if announced.isdigit() and int(announced) > max_bytes:
                raise _too_large(max_bytes)
            message = await receive()
            num_bytes += len(message.get("body", b""))
            if num_bytes > max_bytes:
                raise _too_large(max_bytes)
            return message

        await self.app(scope, receive_counted, send)


def _too_large(max_bytes: int) -> HTTPException:
    # The framework passes its own exceptions on from within the parsing of a body, and no others.
    return HTTPException(
        413, f"The body is larger than {max_bytes} bytes.", headers={"Connection": "close"}
    )


def _request_id(proposed: str | None) -> str:
    """The caller's id where it is harmless in a log, else a new one."""
    if proposed is not None and _ACCEPTABLE_ID.fullmatch(proposed):
        return proposed
    return f"req_{secrets.token_hex(12)}"


def _log(scope: Scope, state: Mapping[str, object], status: int, seconds: float) -> None:
    failure = state.get("failure")
    fields: dict[str, object] = {
        "request_id": state["request_id"],
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "seconds": round(seconds, 4),
    }
    caller = state.get("caller")
    if isinstance(caller, Caller):
        fields["tenant"], fields["by"] = caller.tenant, caller.by
    if "tree_id" in state:
        fields["tree_id"] = state["tree_id"]
    while isinstance(failure, ExceptionGroup) and len(failure.exceptions) == 1:
        failure = failure.exceptions[0]
    if isinstance(failure, Exception) and status >= 500:
        log.error("request.failed", **fields, **failure_of(failure))
    elif scope["path"] not in _QUIET_PATHS:
        log.info("request", **fields)
