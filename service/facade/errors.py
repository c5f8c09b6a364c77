"""Errors of the facade: whatever leaves the service as a problem leaves `/v1` in OpenAI's shape.

    {"error": {"message", "type", "param", "code"}}

A middleware does it, so that refusals of other middlewares (keys, quotas, sizes) are in that shape
too. `code` stays Banyan's, except where OpenAI's clients know another word.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import MEDIA_TYPE

PREFIX = "/v1/"

_STATUS = {415: 400, 422: 400}
"""OpenAI's clients know a request that is wrong as 400."""
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
_CODES = {"extra_forbidden": "unknown_parameter", "unsupported_value": "unsupported_value"}
_PARAMS = {"goal": "messages", "policy": "model", "answer_schema": "response_format"}


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str = Field(description="What went wrong, and what to do about it.")
    type: str = Field(examples=["invalid_request_error"])
    param: str | None = Field(None, description="The parameter that is wrong.")
    code: str | None = Field(None, description="Stable and machine-readable.")


class ErrorReply(BaseModel):
    """An error in OpenAI's shape."""

    error: ErrorDetail


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says of these statuses."""
    return {status: {"model": ErrorReply} for status in statuses}


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same as it stands in the OpenAPI document, where `ErrorReply` is known."""
    schema = {"$ref": f"#/components/schemas/{ErrorReply.__name__}"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schema}},
        }
        for status in statuses
    }


class OpenAIErrors:
    """Middleware, the outermost: problems of paths below `/v1` in OpenAI's shape."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def translated(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                kind = Headers(raw=message["headers"]).get("content-type", "")
                if kind.startswith(MEDIA_TYPE):
                    start = message
                    return
            elif start is not None:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _send(start, body, send)
                return
            await send(message)

        await self.app(scope, receive, translated)


async def _send(start: Message, body: bytes, send: Send) -> None:
    problem = json.loads(body)
    status, error = shaped(problem)
    content = ErrorReply(error=error).model_dump_json().encode()
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["Content-Type"] = "application/json"
    headers["Content-Length"] = str(len(content))
    if status == 409:  # it stays so, but OpenAI's clients would try it again
        headers["X-Should-Retry"] = "false"
    await send({"type": "http.response.start", "status": status, "headers": headers.raw})
    await send({"type": "http.response.body", "body": content})


def shaped(problem: dict[str, Any]) -> tuple[int, ErrorDetail]:
    """The status and the error that say what `problem` says."""
    status = int(problem["status"])
    status = _STATUS.get(status, status)
    fields = problem.get("errors") or [{"field": None}]
    field, code = fields[0]["field"], problem["code"]
    if code == "unknown_policy" and field == "policy":
        status, code = 404, "model_not_found"
    code = _CODES.get(fields[0].get("code"), code)
    head, dot, rest = (field or "").partition(".")
    return status, ErrorDetail(
        message=f"{problem['detail'].rstrip('.')}. {problem['hint']}".strip(),
        type=_TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error"),
        param=f"{_PARAMS.get(head, head)}{dot}{rest}" if field else None,
        code=code,
    )
