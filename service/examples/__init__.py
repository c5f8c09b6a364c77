"""Examples of replies for the OpenAPI document: a file for each schema, named after it.

`NAME.json` is a reply of the schema NAME, `NAME.sse` the stream in its place, and `problems.json`
has a problem for each status. Examples of requests stand beside the models of the requests.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from service.facade.errors import shaped
from service.problems import MEDIA_TYPE

_JSON = "application/json"
_EVENTS = "text/event-stream"
_TEXT = "A banyan drops roots. The roots become trunks."
_TRACE = "/solve/{id}/trace"
_STREAMS = {"/v1/chat/completions": "ChatCompletion", "/v1/responses": "ResponseReply"}
_REQUEST_ID = "req_24c3f0a1b2d94e5f60718293"


def add_examples(document: dict[str, Any]) -> None:
    """Give every reply of the document, and every body that is no JSON, an example."""
    problems = _read_json("problems")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for kind, body in operation.get("requestBody", {}).get("content", {}).items():
                if kind != _JSON:
                    body["example"] = _TEXT
            for status, reply in operation["responses"].items():
                for kind, body in reply.get("content", {}).items():
                    body["example"] = _example(path, status, kind, body["schema"], problems)


def _example(
    path: str, status: str, kind: str, schema: dict[str, Any], problems: dict[str, Any]
) -> Any:
    if int(status) >= HTTPStatus.BAD_REQUEST:
        problem = _problem(int(status), problems[status])
        if kind == MEDIA_TYPE:
            return problem
        return {"error": shaped(problem)[1].model_dump()}
    if kind == _EVENTS:
        return _read(_stream_of(path), "sse")
    if kind != _JSON:
        return _TEXT
    return _read_json("Trace" if path == _TRACE else schema["$ref"].rpartition("/")[2])


def _problem(status: int, said: dict[str, Any]) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    known = {"type": "about:blank", "title": title, "status": status}
    return {**known, **said, "request_id": _REQUEST_ID}


def _stream_of(path: str) -> str:
    return next(
        (name for head, name in _STREAMS.items() if path.startswith(head)),
        "SolveResult",
    )


def _read_json(name: str) -> Any:
    return json.loads(_read(name, "json"))


def _read(name: str, suffix: str) -> str:
    return files(__package__).joinpath(f"{name}.{suffix}").read_text(encoding="utf-8")
