"""The OpenAPI document is what other clients are made from: it must be whole and true."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from banyan.client.results import SolveResult
from banyan.client.sse import Parser
from service.settings import ServiceSettings
from tests.service.house import House


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Made once; the last test says that it is what is served."""
    return House(ServiceSettings()).app.openapi()


def test_every_reference_points_to_a_schema(document: dict[str, Any]) -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))

    assert names
    assert names <= document["components"]["schemas"].keys()


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)


def test_every_error_is_a_problem_or_in_the_shape_of_openai(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            errors = {
                status: set(reply.get("content", {}))
                for status, reply in operation["responses"].items()
                if int(status) >= 400
            }
            kind = "application/json" if path.startswith("/v1/") else "application/problem+json"
            assert all(kinds == {kind} for kinds in errors.values()), path


def test_streams_are_described_as_streams(document: dict[str, Any]) -> None:
    paths = document["paths"]

    assert "text/event-stream" in paths["/solve"]["post"]["responses"]["200"]["content"]
    assert list(paths["/solve/{id}/events"]["get"]["responses"]["200"]["content"]) == [
        "text/event-stream"
    ]


def test_every_json_body_has_an_example_that_follows_its_schema(document: dict[str, Any]) -> None:
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]
        for operations in document["paths"].values()
        for operation in operations.values()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    names = {name for body in bodies for name in re.findall(r"schemas/(\w+)", json.dumps(body))}

    assert {"SolveRequest", "EstimateRequest", "ResumeRequest", "FeedbackRequest"} <= names
    for name in names:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        examples = document["components"]["schemas"][name]["examples"]
        assert examples, name
        for example in examples:
            Draft202012Validator(schema).validate(example)


def test_every_reply_has_an_example_that_follows_its_schema(document: dict[str, Any]) -> None:
    checked = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, reply in operation["responses"].items():
                for kind, body in reply.get("content", {}).items():
                    schema = {**body["schema"], "components": document["components"]}
                    if kind != "text/event-stream":
                        Draft202012Validator(schema).validate(body["example"])
                    assert body["example"], (method, path, status)
                    checked.add((status, kind))
    assert {("200", "application/json"), ("422", "application/problem+json")} <= checked


def test_examples_of_problems_bear_the_status_that_they_are_of(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, reply in operation["responses"].items():
                problem = reply.get("content", {}).get("application/problem+json")
                if problem is not None:
                    assert problem["example"]["status"] == int(status), path
                    assert problem["example"]["hint"], path


def test_bodies_that_are_no_json_have_an_example_too(document: dict[str, Any]) -> None:
    upload = document["paths"]["/documents"]["post"]["requestBody"]["content"]

    assert upload
    assert all(body["example"] for body in upload.values())


def test_the_example_of_a_stream_is_what_the_client_reads(document: dict[str, Any]) -> None:
    operation = document["paths"]["/solve/{id}/events"]["get"]
    stream = operation["responses"]["200"]["content"]["text/event-stream"]["example"]
    *events, last = Parser().feed(stream.encode())

    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    result = last.result
    assert isinstance(result, SolveResult)
    assert "".join(event.text or "" for event in events) == result.answer


def test_streams_of_the_facade_have_examples_of_their_own(document: dict[str, Any]) -> None:
    paths = document["paths"]

    for path, first in (
        ("/v1/chat/completions", 'data: {"id":"chatcmpl-'),
        ("/v1/responses", "event: response.created"),
    ):
        content = paths[path]["post"]["responses"]["200"]["content"]
        assert content["text/event-stream"]["example"].startswith(first)


async def test_the_document_is_what_is_served(house: House, document: dict[str, Any]) -> None:
    assert (await house.http.get("/openapi.json")).json() == json.loads(json.dumps(document))
