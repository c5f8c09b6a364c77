"""Problems: every error leaves the service as application/problem+json (RFC 9457).

`code` is stable, `hint` says what to do, `request_id` is in the log. Values that the caller sent
are never echoed: they may be document text.
"""

from __future__ import annotations

import http
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from banyan import errors
from banyan.client.errors import FieldProblem

MEDIA_TYPE = "application/problem+json"
MAX_FIELD_PROBLEMS = 20
MAX_FIELD_CHARS = 120


class Problem(BaseModel):
    """A problem's body."""

    type: str = Field("about:blank", description="`about:blank`: the code says what it is.")
    title: str = Field(description="The HTTP status in words.")
    status: int
    detail: str = Field(description="What went wrong, in this request.")
    code: str = Field(description="Stable and machine-readable.")
    hint: str = Field(description="What to do about it.")
    request_id: str
    errors: list[FieldProblem] | None = Field(None, description="Which fields are wrong.")


class Refused(errors.InvalidInput):
    """A request that is refused with a status and code of its own."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str,
        status: int = 422,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.status = status
        self.headers = dict(headers or {})
        self.errors = [FieldProblem(field=field, code=code, message=message)] if field else None


def still_running(hint: str) -> Refused:
    """What is for finished solves only."""
    return Refused("The solve is still running.", code="still_running", hint=hint, status=409)


_STATUS: tuple[tuple[type[errors.BanyanError], int], ...] = (
    (errors.UnsupportedMediaType, 415),
    (errors.InvalidInput, 422),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.StoreUnavailable, 503),
    (errors.EngineUnavailable, 503),
)

_NO_ANSWER = "What the service depends on does not answer."

_MESSAGES = {"model_attributes_type": "Input should be a JSON object"}
"""Instead of pydantic's own, which speak of Python."""

_HTTP: dict[int, tuple[str, str]] = {
    400: ("bad_request", "Send a body that is valid JSON, in UTF-8."),
    404: ("not_found", "See /openapi.json for the paths that exist."),
    405: ("method_not_allowed", "See the Allow header for the methods of this path."),
    413: ("body_too_large", "Upload long texts with POST /documents and refer to them by id."),
    415: ("unsupported_media_type", "Send the content type that /openapi.json names."),
}


def reply(
    state: MutableMapping[str, Any],
    status: int,
    *,
    detail: str,
    code: str,
    hint: str,
    fields: Sequence[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The problem as a response. `state` is the request's, which keeps the code for metrics."""
    state["problem"] = code
    body = Problem(
        title=http.HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        hint=hint,
        request_id=state["request_id"],
        errors=list(fields) if fields else None,
    )
    return Response(
        body.model_dump_json(exclude_none=True),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def internal(state: MutableMapping[str, Any]) -> Response:
    """What a caller learns of an error that nobody foresaw: where to look for it."""
    return reply(
        state,
        500,
        detail="The service failed on this request.",
        code="internal_error",
        hint="Look for the request id in the service's log.",
    )


def from_banyan(request: Request, error: Exception) -> Response:
    """An error of ours. Details of what is behind the service stay in its log."""
    assert isinstance(error, errors.BanyanError)  # noqa: S101  # what it is registered for
    state = request.scope["state"]
    if isinstance(error, Refused):
        return reply(
            state,
            error.status,
            detail=str(error),
            code=error.code,
            hint=error.hint,
            fields=error.errors,
            headers=error.headers,
        )
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    state["failure"] = error
    if status == http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return internal(state)
    unavailable = status == http.HTTPStatus.SERVICE_UNAVAILABLE
    detail = str(error)
    if unavailable:
        is_full = isinstance(error, errors.StoreFull)
        detail = "There is no room for more." if is_full else _NO_ANSWER
    return reply(
        state,
        status,
        detail=detail,
        code=error.code,
        hint=error.hint,
        headers={"Retry-After": "2"} if unavailable else None,
    )


def from_http(request: Request, error: Exception) -> Response:
    """Errors that the framework raises: unknown path, wrong method, body too large."""
    assert isinstance(error, HTTPException)  # noqa: S101  # what it is registered for
    code, hint = _HTTP.get(error.status_code, ("bad_request", "See /openapi.json."))
    return reply(
        request.scope["state"],
        error.status_code,
        detail=error.detail,
        code=code,
        hint=hint,
        headers=error.headers,
    )


def from_validation(request: Request, error: Exception) -> Response:
    """A request that does not have the shape it must have: where, and why, but not what."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what it is registered for
    details = error.errors()
    fields = [_field_problem(detail) for detail in details[:MAX_FIELD_PROBLEMS]]
    if any(detail["type"] == "json_invalid" for detail in details):
        code, hint = _HTTP[400]
        return reply(
            request.scope["state"],
            400,
            detail="The body is not valid JSON.",
            code=code,
            hint=hint,
            fields=fields,
        )
    hint = errors.InvalidInput.hint
    if not _is_json(request) and any(detail["loc"] == ("body",) for detail in details):
        hint = "Send JSON under `Content-Type: application/json`."
    first = fields[0]
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return reply(
        request.scope["state"],
        422,
        detail=f"{first.field}: {first.message}{more}",
        code=errors.InvalidInput.code,
        hint=hint,
        fields=fields,
    )


def _is_json(request: Request) -> bool:
    """Whether the body is said to be JSON; the framework parses no other."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _field_problem(detail: dict[str, Any]) -> FieldProblem:
    """`("body", "limits", "max_depth")` becomes `limits.max_depth`; parameters keep their place."""
    location = [str(part)[:MAX_FIELD_CHARS] for part in detail["loc"]]
    if detail["type"] == "json_invalid":
        location = [f"body, at character {location[-1]}"]
    if location[0] == "body" and len(location) > 1:
        location = location[1:]
    return FieldProblem(
        field=".".join(location)[:MAX_FIELD_CHARS],
        code=str(detail["type"]),
        message=_MESSAGES.get(detail["type"]) or str(detail["msg"]).removeprefix("Value error, "),
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of these statuses: each one is a problem."""
    return {
        status: {
            "description": http.HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def schemas() -> dict[str, Any]:
    """The schemas that `documented` points to, for the OpenAPI document."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**problem.pop("$defs"), "Problem": problem}
