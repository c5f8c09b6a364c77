"""What surrounds every request: an id, one log line, a limit for the body, and a last resort.

The log says which request and which tree, and how it went; it never holds content.
"""

from __future__ import annotations

import re
import secrets
import time
import traceback
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from banyan.access import Caller
from service import problems

REQUEST_ID = "X-Request-Id"

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET_PATHS = frozenset({"/healthz", "/readyz"})

log = structlog.get_logger("banyan.service")


class RequestContext:
    """Middleware: `request.state.request_id`, and a problem for whatever was not foreseen."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        request_id = _request_id(Headers(scope=scope).get(REQUEST_ID))
        state["request_id"] = request_id
        status = 0

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
            await problems.internal(request_id)(scope, receive, send_with_id)
        finally:
            _log(scope, state, status, time.perf_counter() - started)


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
        # Messages of errors may quote content, so that the log has the type and the place only.
        frames = traceback.extract_tb(failure.__traceback__)[-8:]
        fields["error"] = type(failure).__name__
        fields["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        log.error("request.failed", **fields)
    elif scope["path"] not in _QUIET_PATHS:
        log.info("request", **fields)
