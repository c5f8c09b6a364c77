"""Calls: every request the SDK makes, and how its reply is read. Pure; both clients use it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar

import httpx
from pydantic import BaseModel, JsonValue, ValidationError

from banyan.client.errors import ClientError, FieldProblem, ServiceProblem, ServiceUnreachable
from banyan.client.results import Document, SolveResult
from banyan.feedback_source import Source
from banyan.limits import Limits
from banyan.task import Gate, Profile, StateChoice
from banyan.tree import TreeStatus

DEFAULT_URL = "http://127.0.0.1:8080"
MAX_WAIT_S = 60.0
"""Of one request; longer waits are made of several."""
STREAM_SILENCE_S = 60.0
"""The service sends a heartbeat every 15 s; after this long the connection is taken for broken."""

TEXT = "text/plain; charset=utf-8"
TOLD_BY_ITSELF = "application/octet-stream"
KINDS = {
    ".htm": "text/html",
    ".html": "text/html",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".xhtml": "application/xhtml+xml",
}

M = TypeVar("M", bound=BaseModel)


class SolveOptions(TypedDict, total=False):
    """Options of a solve; what is left out takes the service's default."""

    answer_schema: Mapping[str, Any] | None
    """JSON Schema of the answer; its root is an object."""
    limits: Limits | Mapping[str, float]
    gate: Gate | Mapping[str, JsonValue]
    state: StateChoice
    policy: str
    policies: Sequence[str]
    """Those that agents may choose from for their children."""
    leaves: str
    """The policy that reads what is handed out; not together with `policies`."""
    metadata: Mapping[str, JsonValue]
    profile: Profile
    group_id: str
    """Of a rollout: the same for all solves that grow from the same task."""
    train: bool
    """False keeps the solve out of the trajectory log."""
    idempotency_key: str
    """The same key finds the same solve again; without it, every call starts a new one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `body` is JSON, `source` a document: a path is read anew at every attempt."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    source: Path | None = None
    patience_s: float = 0.0
    """How long the service may stay silent on purpose."""


def solve(
    goal: str,
    *,
    documents: Sequence[Document | str],
    texts: Sequence[str],
    wait_s: float,
    options: SolveOptions,
) -> Call:
    """POST /solve. It carries a key in any case, so that it can be sent again after a failure."""
    body = _request(goal, documents, texts, options)
    wait_s = min(wait_s, MAX_WAIT_S)
    return Call(
        "POST",
        "/solve",
        headers={
            "Content-Type": "application/json",
            "Idempotency-Key": options.get("idempotency_key") or secrets.token_hex(16),
            "Prefer": _prefer(wait_s),
        },
        body=_json(body),
        patience_s=wait_s,
    )


def estimate(
    goal: str,
    *,
    documents: Sequence[Document | str | Path],
    texts: Sequence[str],
    window: int | None,
    options: SolveOptions,
) -> Call:
    """POST /solve/estimate. Files are not uploaded: their bytes count as characters."""
    known = [one for one in documents if not isinstance(one, Path)]
    more_chars = sum(one.stat().st_size for one in documents if isinstance(one, Path))
    body = _request(goal, known, texts, options) | {"more_chars": more_chars}
    if window is not None:
        body["window"] = window
    return _posted("/solve/estimate", body)


def listing(*, status: TreeStatus | None, cursor: str | None, limit: int) -> Call:
    """GET /solve."""
    params = {"status": status, "cursor": cursor, "limit": str(limit)}
    return Call("GET", "/solve", params={name: of for name, of in params.items() if of is not None})


def read(solve_id: str, *, wait_s: float = 0.0) -> Call:
    """GET /solve/{id}, waiting up to `wait_s` for its end."""
    wait_s = min(wait_s, MAX_WAIT_S)
    headers = {"Prefer": _prefer(wait_s)} if wait_s > 0 else {}
    return Call("GET", f"/solve/{solve_id}", headers=headers, patience_s=wait_s)


def cancel(solve_id: str) -> Call:
    """POST /solve/{id}/cancel."""
    return Call("POST", f"/solve/{solve_id}/cancel")


def resume(
    solve_id: str,
    *,
    extra_tokens: int,
    extra_nodes: int,
    extra_cost_usd: float,
    deadline_s: float | None,
) -> Call:
    """POST /solve/{id}/resume. It carries a key, so that what it adds counts once."""
    extra = {"tokens": extra_tokens, "nodes": extra_nodes, "cost_usd": extra_cost_usd}
    body = {"extra": {name: value for name, value in extra.items() if value}}
    call = _posted(f"/solve/{solve_id}/resume", body | {"deadline_s": deadline_s})
    call.headers["Idempotency-Key"] = secrets.token_hex(16)
    return call


def delete(solve_id: str) -> Call:
    """DELETE /solve/{id}."""
    return Call("DELETE", f"/solve/{solve_id}")


def delete_document(document_id: str) -> Call:
    """DELETE /documents/{id}."""
    return Call("DELETE", f"/documents/{document_id}")


def trace(solve_id: str) -> Call:
    """GET /solve/{id}/trace."""
    return Call("GET", f"/solve/{solve_id}/trace", patience_s=STREAM_SILENCE_S)


def feedback(
    solve_id: str, value: float, *, node: str, source: Source, comment: str | None, key: str | None
) -> Call:
    """POST /solve/{id}/feedback. Without a key, the same words are the same feedback."""
    body = {"value": value, "node": node, "source": source, "comment": comment}
    call = _posted(f"/solve/{solve_id}/feedback", body)
    if key is not None:
        call.headers["Idempotency-Key"] = key
    return call


def tree(solve_id: str, *, offset: int, limit: int) -> Call:
    """GET /solve/{id}/tree."""
    params = {"offset": str(offset), "limit": str(limit)}
    return Call("GET", f"/solve/{solve_id}/tree", params=params)


def node(solve_id: str, path: str) -> Call:
    """GET /solve/{id}/nodes/{node}."""
    return Call("GET", f"/solve/{solve_id}/nodes/{path}")


def events(solve_id: str, *, after: int) -> Call:
    """GET /solve/{id}/events, behind the event `after`."""
    headers = {"Accept": "text/event-stream"}
    if after:
        headers["Last-Event-ID"] = str(after)
    return Call("GET", f"/solve/{solve_id}/events", headers=headers, patience_s=STREAM_SILENCE_S)


def upload(source: Path | str | bytes, *, title: str | None) -> Call:
    """POST /documents. A Path is a file of the kind that its name says: see KINDS.

    A str is the text itself. What bytes are, and files with other names, the service sees.
    """
    kind = TEXT if isinstance(source, str) else TOLD_BY_ITSELF
    if isinstance(source, Path):
        kind = KINDS.get(source.suffix.lower(), kind)
    if isinstance(source, Path) and title is None:
        title = source.name
    return Call(
        "POST",
        "/documents",
        headers={"Content-Type": kind},
        params={"title": title} if title else {},
        body=source.encode() if isinstance(source, str) else _bytes(source),
        source=source if isinstance(source, Path) else None,
        patience_s=STREAM_SILENCE_S,
    )


def parse(response: httpx.Response, model: type[M]) -> M:
    """The reply as `model`. Raises ClientError where it is something else."""
    try:
        return model.model_validate_json(response.content, extra="ignore")
    except ValidationError as error:
        raise ClientError(
            f"{response.request.url} did not answer as Banyan does",
            hint="Check that the URL is that of a Banyan service of this version.",
        ) from error


def result_of(response: httpx.Response) -> SolveResult:
    """The reply to a call about one solve."""
    return parse(response, SolveResult)


def raise_for(response: httpx.Response) -> None:
    """Raise the ServiceProblem of a reply other than 2xx. Its body must have been read."""
    if response.is_success:
        return
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        body = {}
    retry_after = response.headers.get("Retry-After", "")
    raise ServiceProblem(
        str(body.get("detail") or f"the service answered {response.status_code}"),
        status=response.status_code,
        code=str(body.get("code") or f"http_{response.status_code}"),
        hint=str(body.get("hint") or ""),
        request_id=body.get("request_id") or response.headers.get("X-Request-Id"),
        errors=[FieldProblem.model_validate(one) for one in body.get("errors") or ()],
        retry_after_s=float(retry_after) if retry_after.isdigit() else None,
    )


def unreachable(url: str, error: httpx.TransportError) -> ServiceUnreachable:
    """A connection that failed, in our words."""
    reason = str(error) or type(error).__name__
    return ServiceUnreachable(f"no answer from {url}: {reason}")


def parse_json(response: httpx.Response) -> dict[str, Any]:
    """The reply as a JSON object. Raises ClientError where it is something else."""
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ClientError(f"{response.request.url} did not answer as Banyan does")
    return value


def _request(
    goal: str,
    documents: Sequence[Document | str],
    texts: Sequence[str],
    options: SolveOptions,
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "goal": goal,
        "documents": [{"id": one if isinstance(one, str) else one.id} for one in documents]
        + [{"text": text} for text in texts],
    }
    for name, value in options.items():
        if name != "idempotency_key":
            body[name] = _plain(value)
    return body


def _posted(path: str, body: Mapping[str, Any]) -> Call:
    return Call("POST", path, headers={"Content-Type": "application/json"}, body=_json(body))


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _prefer(wait_s: float) -> str:
    return f"wait={int(wait_s)}" if wait_s >= 1 else "respond-async"


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _bytes(source: Path | bytes) -> bytes | None:
    return source if isinstance(source, bytes) else None
